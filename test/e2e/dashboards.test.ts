import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { METRICS } from '../../src/metrics/definitions.js';
import { listSchedules } from '../../src/temporal/schedules.js';
import { databaseItem } from '../support/deployment.js';
import { freePort } from '../support/free-port.js';
import { ownDatabase, ownDeployment } from '../support/own-parts.js';
import { promtoolProgram } from '../support/tools.js';
import { ANY_PORT, fullScrape, getText, metricsAddress } from '../support/worker-http.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

it('the alert rules fire for what they are for and for nothing else', async () => {
  const promtool = promtoolProgram();
  await run(promtool, ['check', 'rules', pathOf('deploy/prometheus/alerts.yml')]);
  await run(promtool, ['check', 'config', pathOf('deploy/prometheus/prometheus.yml')]);
  await run(promtool, ['test', 'rules', pathOf('test/fixtures/alerts.test.yml')]);
});

it('the alert rules and the dashboard name only metrics that a worker has, and all of ours are described', async (test) => {
  const deployment = await ownDeployment(test, {
    databases: databaseItem('mordor', await ownDatabase(test)),
    schedules: true,
    settings: { schedule: '0 3 * * *' },
  });
  const sdk = `127.0.0.1:${await freePort()}`;
  const worker = await deployment.startWorker({ ...ANY_PORT, SDK_METRICS_ADDRESS: sdk });
  await waitFor('the schedule to be listed', async () => (await listSchedules(deployment.client)).length === 1);
  expect((await deployment.backupctl(['run'])).code).toBe(0);
  expect((await deployment.backupctl(['verify', 'mordor', '--drill'])).code).toBe(0);
  await fullScrape(worker);
  const { text: ours } = await getText(await metricsAddress(worker), '/metrics');
  const { text: theirs } = await getText(sdk, '/metrics');
  const names = new Set(`${ours}\n${theirs}`.split('\n').flatMap((line) => /^[a-z]\w*/.exec(line)?.[0] ?? []));
  expect([...names].filter((name) => name.startsWith('backup_')).sort()).toEqual(Object.keys(METRICS).sort());
  for (const file of ['deploy/prometheus/alerts.yml', 'deploy/grafana/dashboard.json']) {
    const used = (await readFile(pathOf(file), 'utf8')).match(/\b(backup|temporal)_[a-z_]+/g) ?? [];
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => !names.has(name))).toEqual([]);
  }
});
