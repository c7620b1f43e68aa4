import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { RUN_PATTERN } from '../../src/domain/names.js';
import type { RunRecord, RunReport } from '../../src/domain/run.js';
import { targetWorkflowId } from '../../src/domain/task-queues.js';
import { listSchedules } from '../../src/temporal/schedules.js';
import { findSearchAttributes } from '../../src/temporal/search-attributes.js';
import { databaseItem, deploy, type Deployment, type DeploymentOptions } from '../support/deployment.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { waitFor } from '../support/wait-for.js';

let database: SharedDatabase;
let deployment: Deployment | undefined;
beforeAll(async () => {
  database = await createSharedDatabase();
});
afterAll(() => database.drop());
afterEach(async () => {
  await deployment?.close();
  deployment = undefined;
});

const onNorth = (name: string) => databaseItem(name, database.name, 'on_host: north');

/** `mordor` here, `shire` on the host `north`. */
async function deployed(options: DeploymentOptions = {}): Promise<Deployment> {
  const databases = `${databaseItem('mordor', database.name)}\n${onNorth('shire')}`;
  deployment = await deploy({ databases, settings: { service: 'middle-earth' }, ...options });
  return deployment;
}

async function run(d: Deployment): Promise<{ report: RunReport; code: number | null }> {
  const { json, code } = await d.backupctl(['run', '--json']);
  return { report: json as RunReport, code };
}

function outcomes({ targets }: RunReport): Record<string, string> {
  return Object.fromEntries(targets.map(({ target, outcome }) => [target, outcome]));
}

async function filesOf(backupDir: string): Promise<string[]> {
  const runs = (await readdir(backupDir)).filter((name) => RUN_PATTERN.test(name));
  const files = await Promise.all(runs.map((name) => readdir(join(backupDir, name))));
  return files.flat().sort();
}

async function recordIn(backupDir: string, id: string): Promise<RunRecord> {
  return JSON.parse(await readFile(join(backupDir, id, 'run.json'), 'utf8')) as RunRecord;
}

describe('a target of a further host', () => {
  it('is captured there, and leaves there what every run leaves', async () => {
    const d = await deployed();
    const north = await d.addHost('north');
    await d.startWorker();
    await north.startWorker();
    const { report, code } = await run(d);
    expect({ code, outcomes: outcomes(report) }).toEqual({
      code: 0,
      outcomes: { mordor: 'succeeded', shire: 'succeeded' },
    });
    const named = (target: string) => [
      `${target}_${report.run}.sql.gz`,
      `${target}_${report.run}.sql.gz.manifest.json`,
    ];
    expect(await filesOf(d.backupDir)).toEqual(['SHA256SUMS', ...named('mordor'), 'run.json']);
    expect(await filesOf(north.backupDir)).toEqual(['SHA256SUMS', 'run.json', ...named('shire')]);
    const [here, there] = [await recordIn(d.backupDir, report.run), await recordIn(north.backupDir, report.run)];
    expect(there.targets).toEqual(here.targets);
    expect(here.directoryIds).toEqual({ default: here.directoryId, north: there.directoryId });
    expect(there.directoryId).not.toBe(here.directoryId);
    expect(await readFile(join(north.backupDir, 'logs', `backup_${report.run}.log`), 'utf8')).toContain('shire: ');
  });

  it('takes its password from the environment of its host alone', async () => {
    const password = '${NORTH_PASSWORD}';
    const { host, port, user } = inject('postgres');
    const connection = JSON.stringify({ host, port, user, password, database: database.name });
    const shire = `  - name: shire\n    on_host: north\n    config: ${connection}`;
    const d = await deployed({ databases: shire });
    const north = await d.addHost('north', { NORTH_PASSWORD: inject('postgres').password });
    await d.startWorker();
    await north.startWorker();
    expect(outcomes((await run(d)).report)).toEqual({ shire: 'succeeded' });
    expect((await d.backupctl(['config', 'check'])).code).toBe(0);
    expect((await d.backupctl(['config', 'show'])).stdout).toContain('***');
  });

  it('is pruned there by what lies there, and its runs keep their records here', async () => {
    const d = await deployed({
      databases: onNorth('shire'),
      settings: { service: 'middle-earth', retention_count: 1 },
    });
    const north = await d.addHost('north');
    await d.startWorker();
    await north.startWorker();
    const first = (await run(d)).report.run;
    const second = (await run(d)).report.run;
    expect((await filesOf(north.backupDir)).filter((name) => name.endsWith('.gz'))).toEqual([`shire_${second}.sql.gz`]);
    await expect(recordIn(north.backupDir, first)).rejects.toThrow('ENOENT');
    expect((await recordIn(d.backupDir, first)).outcome).toBe('succeeded');
  });
});

describe('a host whose worker is gone', () => {
  it('fails its targets by name, and keeps no other from being done, three fires in a row', async () => {
    const d = await deployed({
      schedules: true,
      settings: { service: 'middle-earth', schedule: '*/4 * * * * * *', unpolled_timeout: '1s', deadline: '60s' },
    });
    await d.startWorker();
    const runs = await waitFor('three runs', async () => {
      const ids = (await readdir(d.backupDir)).filter((name) => RUN_PATTERN.test(name)).sort();
      const records = await Promise.all(ids.map((id) => recordIn(d.backupDir, id).catch(() => undefined)));
      const ended = records.flatMap((record) => (record?.finishedAt === undefined ? [] : [record]));
      return ended.length < 3 ? undefined : ended.slice(0, 3);
    });
    for (const { outcome, targets } of runs) {
      expect(outcome).toBe('partial');
      expect(targets.find((t) => t.target === 'shire')?.error).toMatch(/no worker polls backup-north\nHINT: /);
    }
    const dumps = (await filesOf(d.backupDir)).filter((name) => name.endsWith('.sql.gz'));
    expect(dumps.length).toBeGreaterThanOrEqual(3);
  });

  it('is waited for by one target, not by each', async () => {
    const names = ['shire', 'bree', 'rohan', 'gondor'];
    const databases = names.map(onNorth).join('\n');
    const settings = { service: 'middle-earth', unpolled_timeout: '1s', max_parallel: 1 };
    const d = await deployed({ databases, settings });
    await d.startWorker();
    const { report } = await run(d);
    expect(report.targets.map(({ error }) => error)).toEqual(
      Array(4).fill(expect.stringContaining('no worker polls backup-north')),
    );
    const childOf = (target: string) =>
      d.client.workflow.getHandle(targetWorkflowId({ service: 'middle-earth', kind: 'database', target })).describe();
    await expect(childOf('shire')).resolves.toBeDefined();
    for (const target of names.slice(1)) await expect(childOf(target)).rejects.toThrow(WorkflowNotFoundError);
  });

  it('does its targets again when its worker is back', async () => {
    const d = await deployed({ settings: { service: 'middle-earth', unpolled_timeout: '1s' } });
    const north = await d.addHost('north');
    await d.startWorker();
    expect(outcomes((await run(d)).report)).toEqual({ mordor: 'succeeded', shire: 'failed' });
    await north.startWorker();
    expect(outcomes((await run(d)).report)).toEqual({ mordor: 'succeeded', shire: 'succeeded' });
  });
});

describe('the directory of a further host', () => {
  it('is refused where it is not the one that was there, and nothing is written', async () => {
    const d = await deployed();
    const north = await d.addHost('north');
    await d.startWorker();
    const worker = await north.startWorker();
    expect((await run(d)).code).toBe(0);
    await worker.stop();
    await rm(north.backupDir, { recursive: true });
    await north.startWorker();
    const { report } = await run(d);
    expect(outcomes(report)).toEqual({ mordor: 'succeeded', shire: 'failed' });
    expect(report.targets.find((t) => t.target === 'shire')?.error).toMatch(/cannot use the directory [^]*HINT: /);
    await expect(readdir(north.backupDir)).rejects.toThrow('ENOENT');
  });

  it('is filled although that of the orchestrator is not there', async () => {
    const d = await deployed({ schedules: true, settings: { service: 'middle-earth', schedule: '0 3 * * *' } });
    const north = await d.addHost('north');
    await d.startWorker();
    await north.startWorker();
    await waitFor('the schedule to be listed', async () => (await listSchedules(d.client)).length === 1);
    await rm(d.backupDir, { recursive: true });
    const { report } = await run(d);
    expect(outcomes(report)).toEqual({ mordor: 'failed', shire: 'succeeded' });
    expect((await recordIn(north.backupDir, report.run)).outcome).toBe('partial');
    await expect(readdir(d.backupDir)).rejects.toThrow('ENOENT');
  });
});

describe('a worker of a further host', () => {
  it('refuses a name that cannot be part of a queue', async () => {
    const d = await deployed();
    await expect(d.startWorker({ BACKUP_HOST: 'no/host' })).rejects.toThrow(/cannot work for BACKUP_HOST [^]*HINT: /);
  });

  it('touches no schedule and no search attribute', async () => {
    const d = await deployed({ schedules: true, settings: { service: 'middle-earth', schedule: '0 3 * * *' } });
    const north = await d.addHost('north');
    await north.startWorker();
    expect(await listSchedules(d.client)).toEqual([]);
    expect((await findSearchAttributes(d.client)).missing).toHaveLength(4);
  });
});
