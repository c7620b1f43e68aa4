import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import type { TargetResult } from '../../src/domain/outcome.js';
import type { RunReport } from '../../src/domain/run.js';
import { attemptsOf } from '../support/attempts.js';
import { databaseItem, volumeItem, type Deployment } from '../support/deployment.js';
import { volumeExists } from '../support/docker-volume.js';
import { freePort } from '../support/free-port.js';
import { ownBucket, ownDatabase, ownDeployment, ownVolume } from '../support/own-parts.js';
import { newClient } from '../support/s3-server.js';
import { expectNothingLeft, startWatchedWorker } from '../support/watched-run.js';

const CANARY = 'wrong-canary-password';
const ATTEMPTS = { once: { captureTarget: 1 }, twice: { captureTarget: 2 } };

/** A database entry of the shared server, with something in it changed. */
function changedItem(name: string, database: string, change: readonly [string | RegExp, string]): string {
  return databaseItem(name, database).replace(...change);
}

function byTarget({ targets }: RunReport): Record<string, TargetResult> {
  return Object.fromEntries(targets.map((result) => [result.target, result]));
}

async function backUp(deployment: Deployment, ...targets: string[]): Promise<RunReport & { code: number | null }> {
  const { code, json, stdout, stderr } = await deployment.backupctl(['run', ...targets, '--json']);
  expect(stdout + stderr).not.toContain(CANARY);
  return { ...(json as RunReport), code };
}

it('what is wrong with an entry or its server fails that target, by name and with what to do', async (test) => {
  const [database, volume] = [await ownDatabase(test), await ownVolume(test, 'echo one >one')];
  const port = String(await freePort());
  const missing = `${volume}-missing`;
  const databases = [
    databaseItem('mordor', database),
    changedItem('down', database, [/"port":\d+/, `"port":${port}`]),
    changedItem('refused', database, ['${DB_PASSWORD}', '${WRONG_PASSWORD}']),
    databaseItem('lost', `${database}_lost`),
    changedItem('unset', database, ['${DB_PASSWORD}', '${NEVER_SET}']),
  ];
  const volumes = [volumeItem('data', volume), volumeItem('gone', missing)];
  const deployment = await ownDeployment(test, {
    databases: databases.join('\n'),
    volumes: volumes.join('\n'),
    settings: { attempts: 2 },
    env: { WRONG_PASSWORD: CANARY },
  });
  await startWatchedWorker(deployment);
  const { code, outcome, run, ...report } = await backUp(deployment);
  expect({ code, outcome }).toEqual({ code: 3, outcome: 'partial' });
  const results = byTarget({ run, outcome, ...report });
  expect(results).toMatchObject({ mordor: { outcome: 'succeeded' }, data: { outcome: 'succeeded' } });

  const { host, port: goodPort } = inject('postgres');
  const at = `${host}:${String(goodPort)}`;
  const expected = {
    down: [`cannot connect to down (database ${database} on ${host}:${port}): because`, ATTEMPTS.twice],
    refused: [`cannot connect to refused (database ${database} on ${at}): because`, ATTEMPTS.once],
    lost: [`cannot connect to lost (database ${database}_lost on ${at}): because`, ATTEMPTS.once],
    gone: [`cannot capture gone: because there is no volume "${missing}"`, ATTEMPTS.once],
  } as const;
  for (const [target, [message, attempts]] of Object.entries(expected)) {
    const { outcome: ofIt, error = '' } = results[target] ?? {};
    expect({ target, outcome: ofIt, error: error.slice(0, message.length) }).toEqual({
      ...{ target, outcome: 'failed', error: message },
    });
    expect(error).toMatch(/^[^]*\nHINT: .+$/);
    expect(await attemptsOf(deployment, target, target === 'gone' ? 'volume' : 'database')).toEqual(attempts);
  }
  expect(results['unset']?.error).toMatch(/backups\.yml:\d+:\d+: .*NEVER_SET is not set\nHINT: /);
  expect(await volumeExists(missing)).toBe(false);
  expect((await readdir(join(deployment.backupDir, run))).filter((name) => name.endsWith('.gz')).sort()).toEqual([
    `data_volume_${run}.tar.gz`,
    `mordor_${run}.sql.gz`,
  ]);
  await expectNothingLeft(deployment);

  // What was corrected counts from the next run, without another worker.
  await deployment.configure({ env: { WRONG_PASSWORD: inject('postgres').password } });
  expect(await backUp(deployment, 'refused')).toMatchObject({ code: 0, outcome: 'succeeded' });
});

it('an engine, a bucket and keys that are not to be had fail what needs them, and keep what was captured', async (test) => {
  const [database, volume] = [await ownDatabase(test), await ownVolume(test, 'echo one >one')];
  const bucket = `missing-${database.replace('_', '-')}`;
  const deployment = await ownDeployment(test, {
    databases: databaseItem('mordor', database),
    volumes: volumeItem('data', volume),
    settings: { attempts: 2 },
  });
  await startWatchedWorker(deployment, { DOCKER_HOST: 'unix:///nonexistent' });
  const withoutEngine = await backUp(deployment);
  expect(withoutEngine).toMatchObject({ code: 3, targets: [{ outcome: 'succeeded' }, { outcome: 'failed' }] });
  expect(byTarget(withoutEngine)['data']?.error).toMatch(/^cannot reach the Docker engine: .*\/nonexistent.*\nHINT: /);
  expect(await attemptsOf(deployment, 'data', 'volume')).toEqual(ATTEMPTS.twice);

  await deployment.configure({ s3: { bucket } });
  const withoutBucket = await backUp(deployment, 'mordor');
  expectOnlyCaptured(withoutBucket, new RegExp(`s3://${bucket}.*: because there is no bucket ${bucket}\\nHINT: `));
  expect(await attemptsOf(deployment, 'mordor')).toEqual({ captureTarget: 1, copyArtifact: 1 });
  const client = newClient(inject('s3').endpoint);
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  client.destroy();
  expect(Buckets.map(({ Name }) => Name)).not.toContain(bucket);

  const s3 = { bucket: await ownBucket() };
  await deployment.configure({ s3, env: { AWS_SECRET_ACCESS_KEY: CANARY } });
  const withoutKeys = await backUp(deployment, 'mordor');
  expectOnlyCaptured(withoutKeys, /s3:.*: because the store at http\S+ refused \(SignatureDoesNotMatch.*\nHINT: /);
  expect(await attemptsOf(deployment, 'mordor')).toEqual({ captureTarget: 1, copyArtifact: 1 });
  await expectNothingLeft(deployment, s3.bucket);

  await deployment.configure({ s3 });
  expect(await backUp(deployment, 'mordor')).toMatchObject({ code: 0, outcome: 'succeeded' });
});

function expectOnlyCaptured({ code, run, targets }: RunReport & { code: number | null }, message: RegExp): void {
  const artifact = `mordor_${run}.sql.gz`;
  expect({ code, targets }).toMatchObject({ code: 1, targets: [{ outcome: 'failed', artifact }] });
  expect(targets[0]?.error).toMatch(message);
}
