import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { listSchedules } from '../../src/temporal/schedules.js';
import { databaseItem } from '../support/deployment.js';
import { freePort } from '../support/free-port.js';
import { ownDatabase, ownDeployment } from '../support/own-parts.js';
import { startTemporal } from '../support/temporal-server.js';
import { waitFor } from '../support/wait-for.js';
import { ANY_PORT, fullScrape, getText, metricsAddress, scrape } from '../support/worker-http.js';

const MISSING = 'no-such-database';

it('a scrape tells of each target what its last runs did, also after a restart, and of the targets in the file alone', async (test) => {
  const database = await ownDatabase(test);
  const mordor = databaseItem('mordor', database);
  const deployment = await ownDeployment(test, {
    databases: `${mordor}\n${databaseItem('gondor', MISSING)}`,
    schedules: true,
    settings: { schedule: '0 3 * * *', service: 'middle-earth' },
  });
  const worker = await deployment.startWorker(ANY_PORT);
  const of = (target: string, outcome?: string) =>
    `{target="${target}",kind="database",host="default"${outcome === undefined ? '' : `,outcome="${outcome}"`}}`;

  await waitFor('the schedule to be listed', async () => (await listSchedules(deployment.client)).length === 1);
  const before = await fullScrape(worker);
  expect(before.get(`backup_last_success_timestamp_seconds${of('mordor')}`)).toBe(0);
  expect(before.get(`backup_failed_attempts_total{target="gondor",step="capture"}`)).toBe(0);

  const { json } = await deployment.backupctl(['run', '--json']);
  const { run, targets } = json as RunReport;
  const record = await readFile(join(deployment.backupDir, run, 'run.json'), 'utf8');
  const startedS = Date.parse((JSON.parse(record) as { startedAt: string }).startedAt) / 1000;
  const expected = {
    [`backup_last_success_timestamp_seconds${of('mordor')}`]: startedS,
    [`backup_last_size_bytes${of('mordor')}`]: targets[0]?.sizeBytes,
    [`backup_last_duration_seconds${of('mordor')}`]: (targets[0]?.durationMs ?? 0) / 1000,
    [`backup_last_outcome${of('mordor', 'succeeded')}`]: 1,
    [`backup_last_success_timestamp_seconds${of('gondor')}`]: 0,
    [`backup_last_outcome${of('gondor', 'failed')}`]: 1,
    'backup_last_run_timestamp_seconds{service="middle-earth"}': startedS,
    'backup_last_run_outcome{service="middle-earth",outcome="partial"}': 1,
    'backup_last_run_outcome{service="middle-earth",outcome="succeeded"}': 0,
    'backup_schedule_paused{schedule="0 3 * * *",starts="backup"}': 0,
    'backup_schedule_missed_total{schedule="0 3 * * *",starts="backup"}': 0,
    'backup_metrics_up{source="directory"}': 1,
    'backup_metrics_up{source="schedules"}': 1,
    'backup_metrics_up{source="configuration"}': 1,
  };
  expect((await deployment.backupctl(['verify', 'mordor'])).code).toBe(0);
  const after = await fullScrape(worker);
  expect(after.get(`backup_last_verification_outcome${of('mordor', 'verified')}`)).toBe(1);
  expect(after.get(`backup_last_verified_timestamp_seconds${of('mordor')}`)).toBeGreaterThan(startedS);
  expect(Object.fromEntries(after)).toMatchObject(expected);
  expect(after.get('backup_failed_attempts_total{target="gondor",step="capture"}')).toBe(1);
  expect(after.get('backup_runs_total{service="middle-earth",outcome="partial"}')).toBe(1);
  const fire = after.get('backup_schedule_next_timestamp_seconds{schedule="0 3 * * *",starts="backup"}') ?? 0;
  expect(new Date(fire * 1000).toISOString()).toMatch(/T03:00:00.000Z$/);

  await worker.stop();
  const next = await deployment.startWorker(ANY_PORT);
  expect(Object.fromEntries(await fullScrape(next))).toMatchObject(expected);

  await deployment.configure({ databases: mordor });
  const names = [...(await fullScrape(next)).keys()];
  expect(names.filter((name) => name.includes('gondor'))).toEqual([]);
  expect(names.some((name) => name.includes('mordor'))).toBe(true);
});

it('a scrape answers with what it knew while server, directory and configuration are away', async (test) => {
  const temporal = await startTemporal();
  test.onTestFinished(() => temporal.stop());
  const database = await ownDatabase(test);
  const deployment = await ownDeployment(test, {
    temporalAddress: temporal.address,
    databases: databaseItem('mordor', database),
  });
  const worker = await deployment.startWorker(ANY_PORT);
  expect((await deployment.backupctl(['run'])).code).toBe(0);
  const known = await fullScrape(worker);
  const succeeded = [...known].find(([name]) => name.startsWith('backup_last_success')) ?? ['', 0];
  expect(succeeded[1]).toBeGreaterThan(0);

  await temporal.suspend();
  await rename(deployment.backupDir, `${deployment.backupDir}-unmounted`);
  await writeFile(deployment.configFile, 'backup_config: [');
  const away = await scrape(worker); // schedules are asked about anew only after a while
  expect(away.get('backup_metrics_up{source="configuration"}')).toBe(0);
  expect(away.get('backup_metrics_up{source="directory"}')).toBe(0);
  expect(away.get(succeeded[0])).toBe(succeeded[1]);
  temporal.resume();
});

it('no scrape holds a secret', async (test) => {
  const canary = `Canary-${randomBytes(4).toString('hex')}`;
  const refused = JSON.stringify({ host: '127.0.0.1', port: 1, user: 'u', password: canary, database: 'd' });
  const deployment = await ownDeployment(test, {
    databases: `  - name: refused\n    config: ${refused}\n  - name: unset\n    config: ${refused.replace(canary, '${CANARY}')}`,
    schedules: true,
    settings: { attempts: 1, schedule: '0 3 * * *' },
    env: { CANARY: canary },
  });
  const sdk = `127.0.0.1:${await freePort()}`;
  const worker = await deployment.startWorker({ ...ANY_PORT, SDK_METRICS_ADDRESS: sdk });
  await deployment.backupctl(['run']);
  const texts = [await getText(await metricsAddress(worker), '/metrics'), await getText(sdk, '/metrics')].map(
    (a) => a.text,
  );
  expect(texts[0]).toContain('target="refused"');
  expect(texts[1]).toContain('temporal_');
  for (const text of texts) expect(text).not.toContain(canary);
});

it("a worker refuses to start where the SDK's metrics cannot be had", async (test) => {
  const deployment = await ownDeployment(test, { databases: databaseItem('mordor', MISSING) });
  const worker = await deployment.startWorker(ANY_PORT);
  const taken = await metricsAddress(worker);
  const refusal = (address: string) => deployment.startWorker({ SDK_METRICS_ADDRESS: address }).catch(String);
  expect(await refusal(taken)).toMatch(
    /cannot listen on SDK_METRICS_ADDRESS: because .* is not to be had: .*\nHINT: end what/,
  );
  expect(await refusal('here')).toMatch(
    /cannot listen on SDK_METRICS_ADDRESS: because "here" is no address .*\nHINT: /,
  );
  expect(await refusal('192.0.2.1:9465')).toMatch(/cannot listen on SDK_METRICS_ADDRESS: because .*\nHINT: set/);
});
