import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { databaseItem } from '../support/deployment.js';
import { freePort } from '../support/free-port.js';
import { ownDeployment, type OwnTest } from '../support/own-parts.js';
import { startSilentServer } from '../support/silent-server.js';
import { startTemporal } from '../support/temporal-server.js';
import { waitFor } from '../support/wait-for.js';
import { ANY_PORT, getText, metricsAddress } from '../support/worker-http.js';
import { WorkerProcess } from '../support/worker-process.js';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const HEALTH_CHECK = fileURLToPath(new URL('../../dist/worker/health-check.js', import.meta.url));

async function healthCheck(address: string | undefined): Promise<{ code: number | null; stdout: string }> {
  const { METRICS_ADDRESS: _none, ...env } = process.env;
  const child = spawn(process.execPath, [HEALTH_CHECK], {
    env: { ...env, ...(address !== undefined && { METRICS_ADDRESS: address }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout };
}

async function deployed(test: OwnTest) {
  const temporal = await startTemporal();
  test.onTestFinished(() => temporal.stop());
  return {
    temporal,
    deployment: await ownDeployment(test, {
      temporalAddress: temporal.address,
      databases: databaseItem('mordor', 'mordor'),
    }),
  };
}

it('a worker is healthy while the server hears of it, and says why it is not while the server is away or silent', async (test) => {
  const { temporal, deployment } = await deployed(test);
  const address = await metricsAddress(await deployment.startWorker(ANY_PORT));
  const healthy = () =>
    waitFor('the worker to be healthy', async () => (await getText(address, '/health')).status === 200);
  await healthy();
  expect(await healthCheck(address)).toEqual({ code: 0, stdout: 'ok\n' });

  await temporal.kill();
  const away = await getText(address, '/health');
  expect(away).toEqual({ status: 503, text: expect.stringMatching(/^cannot reach the Temporal server: /) as string });
  expect(await healthCheck(address)).toEqual({
    code: 1,
    stdout: expect.stringMatching(/^cannot reach the Temporal server: .*\n$/) as string,
  });
  await temporal.restart();
  await healthy();

  await temporal.suspend();
  expect(await getText(address, '/health')).toMatchObject({ status: 503 });
  temporal.resume();
  await healthy();
});

it('a worker that waits for its server is not healthy yet, and answers nothing but what it has', async (test) => {
  const deployment = await ownDeployment(test, { databases: databaseItem('mordor', 'mordor') });
  const address = `127.0.0.1:${await freePort()}`;
  const nowhere = { TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`, METRICS_ADDRESS: address };
  deployment.startWorker(nowhere).catch(() => undefined); // it is ended while it waits
  const { status, text } = await waitFor('the worker to listen', () => getText(address, '/health'));
  expect({ status, text }).toEqual({ status: 503, text: 'the worker is starting\n' });
  expect((await getText(address, '/')).status).toBe(404);
  expect((await getText(address, '/constructor')).status).toBe(404);
});

it('the health check fails, and says why, where nobody listens, nobody answers or nothing says where', async (test) => {
  expect(await healthCheck(`127.0.0.1:${await freePort()}`)).toEqual({
    code: 1,
    stdout: expect.stringMatching(/ECONNREFUSED/) as string,
  });
  expect(await healthCheck(undefined)).toEqual({
    code: 1,
    stdout: expect.stringMatching(/METRICS_ADDRESS is not set/) as string,
  });
  expect(await healthCheck('127.0.0.1:0')).toMatchObject({ code: 1 });
  const silent = await startSilentServer();
  test.onTestFinished(() => silent.close());
  expect(await healthCheck(`0.0.0.0:${silent.port}`)).toEqual({
    code: 1,
    stdout: expect.stringMatching(/no answer for/) as string,
  });
});

it('a worker refuses to start with an address that is none or is taken', async (test) => {
  const deployment = await ownDeployment(test, { databases: databaseItem('mordor', 'mordor') });
  const refusal = async (METRICS_ADDRESS: string) => {
    const logFile = join(deployment.directory, 'refused.log');
    const worker = new WorkerProcess({ env: { ...deployment.env, METRICS_ADDRESS }, logFile });
    const text = await worker.start().then(() => 'it started', String);
    return { code: (await worker.ended).code, text };
  };
  const bad = await refusal('9464');
  expect(bad.text).toMatch(/cannot listen on METRICS_ADDRESS: because "9464" is no address .*\nHINT: /);
  expect(bad.code).toBe(2);
  const taken = await refusal(inject('temporal').address);
  expect(taken.text).toMatch(/cannot listen on METRICS_ADDRESS: because .* is not to be had: .*\nHINT: end what/);
  expect(taken.code).toBe(1);
});

it('a worker without its workflows says so, and ends', async (test) => {
  const deployment = await ownDeployment(test, {});
  const copy = join(NODE_MODULES, '.cache', `worker-${process.pid}`); // from where it finds its packages
  test.onTestFinished(() => rm(copy, { recursive: true, force: true }));
  await cp(DIST, copy, { recursive: true, filter: (path) => !path.endsWith('workflow-bundle.js') });
  const worker = new WorkerProcess({
    env: deployment.env,
    logFile: join(deployment.directory, 'worker.log'),
    wrapper: ['bash', '-c', 'exec node "$0"', join(copy, 'worker.js')],
  });
  const text = await worker.start().then(() => 'it started', String);
  expect((await worker.ended).code).toBe(1);
  expect(text).toMatch(
    /cannot load the workflows: because .*workflow-bundle.js is not there\nHINT: run `npm run build`/,
  );
});
