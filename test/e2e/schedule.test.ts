import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { RUN_PATTERN } from '../../src/domain/names.js';
import type { RunRecord, RunReport } from '../../src/domain/run.js';
import { ORCHESTRATOR_QUEUE } from '../../src/domain/task-queues.js';
import { applySchedules } from '../../src/temporal/schedule-apply.js';
import { listSchedules } from '../../src/temporal/schedules.js';
import type { BackupRun } from '../../src/workflows/backup-run.js';
import { databaseItem, deploy, type Deployment, type DeploymentOptions } from '../support/deployment.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { lockRings, waitForBlockedDump } from '../support/table-lock.js';
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

async function deployed(options: DeploymentOptions = {}): Promise<Deployment> {
  deployment = await deploy({ databases: databaseItem('mordor', database.name), schedules: true, ...options });
  return deployment;
}

async function records({ backupDir }: Deployment): Promise<RunRecord[]> {
  const runs = (await readdir(backupDir)).filter((name) => RUN_PATTERN.test(name));
  const texts = await Promise.all(
    runs.map((run) => readFile(join(backupDir, run, 'run.json'), 'utf8').catch(() => '{}')),
  );
  return texts.map((text) => JSON.parse(text) as RunRecord);
}

interface Shown {
  scheduleId: string;
  schedule: string;
  paused: boolean;
  next: string[];
}

async function shown(d: Deployment): Promise<Shown> {
  const { json, stderr, code } = await d.backupctl(['schedule', 'show', '--json']);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return (json as Shown[])[0]!;
}

describe('the schedule', () => {
  it('fires by itself', async () => {
    const d = await deployed({ settings: { schedule: '*/3 * * * * * *' } });
    await d.startWorker();
    await waitFor('a run of the schedule', async () =>
      (await records(d)).some((r) => r.trigger === 'schedule' && r.outcome === 'succeeded'),
    );
  });

  it('means either where both day fields are set, as cron does', async () => {
    const d = await deployed({ settings: { schedule: '0 3 1 * 1', timezone: 'America/Sao_Paulo' } });
    await d.startWorker();
    const { next } = await shown(d);
    const local = next.map((time) => new Date(Date.parse(time) - 3 * 3_600_000)); // Sao Paulo keeps UTC-3 all year
    expect(local.every((time) => time.getUTCHours() === 3 && (time.getUTCDay() === 1 || time.getUTCDate() === 1))).toBe(
      true,
    );
    expect(local.filter((time) => time.getUTCDate() !== 1).length).toBeGreaterThanOrEqual(3); // Mondays, most weeks
  });

  it('is paused and resumed, and stays paused when its cron changes', async () => {
    const d = await deployed({ settings: { schedule: '0 3 * * *' } });
    const worker = await d.startWorker();
    const before = await shown(d);
    expect((await d.backupctl(['schedule', 'pause'])).code).toBe(0);
    expect((await shown(d)).paused).toBe(true);
    await worker.stop();
    await d.configure({ settings: { schedule: '0 4 * * *' } });
    await waitFor(
      'the list of schedules to show the pause',
      async () => (await listSchedules(d.client))[0]?.paused === true,
    );
    await d.startWorker();
    const after = await shown(d);
    expect(after).toMatchObject({ schedule: '0 4 * * *', paused: true });
    expect(after.scheduleId).not.toBe(before.scheduleId);
    await waitFor('the old schedule to go', async () => (await listSchedules(d.client)).length === 1);
    await d.backupctl(['schedule', 'resume']);
    expect((await shown(d)).paused).toBe(false);
  });

  it('is not written where nothing changed, and goes where the file names none', async () => {
    const d = await deployed({ settings: { schedule: '0 3 * * *' } });
    const worker = await d.startWorker();
    const { scheduleId } = await shown(d);
    await waitFor('the schedule to be listed', async () => (await listSchedules(d.client)).length === 1);
    const handle = d.client.schedule.getHandle(scheduleId);
    await worker.stop();
    await d.startWorker();
    expect((await handle.describe()).info.lastUpdatedAt).toBeUndefined();
    await d.configure({ settings: {} });
    expect((await d.backupctl(['schedule', 'apply'])).stderr).toContain('removed');
    const { code, stderr } = await d.backupctl(['schedule', 'show']);
    expect(code).toBe(4);
    expect(stderr).toContain('HINT: ');
  });

  it('that is written anew stays paused, and a new one knows the directories that the old one knew', async () => {
    const d = await deployed();
    const wish = { service: 'gondor', timezone: 'UTC', directoryIds: { default: 'a', north: 'b' } };
    const [first] = await applySchedules(d.client, { ...wish, starts: [{ starts: 'backup', cron: '0 3 * * *' }] });
    const handle = d.client.schedule.getHandle(first?.scheduleId ?? '');
    await handle.pause();
    await handle.update(({ state, ...rest }) => ({ ...rest, state: { ...state, note: 'of an older version' } }));
    expect(
      await applySchedules(d.client, { ...wish, starts: [{ starts: 'backup', cron: '0 3 * * *' }] }),
    ).toMatchObject([{ outcome: 'updated' }]);
    expect((await handle.describe()).state.paused).toBe(true);
    await waitFor('the schedule to be listed', async () => (await listSchedules(d.client)).length === 1);
    const moved = {
      ...wish,
      starts: [{ starts: 'backup' as const, cron: '0 4 * * *' }],
      directoryIds: { default: 'moved' },
    };
    expect(await applySchedules(d.client, moved)).toMatchObject([{ outcome: 'created' }, { outcome: 'removed' }]);
    await waitFor('the new one to be listed', async () => {
      const [found, ...others] = await listSchedules(d.client);
      return others.length === 0 && found?.memo.cron === '0 4 * * *' && found.memo.directoryIds;
    }).then((directoryIds) => expect(directoryIds).toEqual(wish.directoryIds));
  });

  it('of a target comes beside the common one, and the two may meet', async () => {
    const own = databaseItem('shire', database.name, "schedule: '*/2 * * * * * *'");
    const databases = `${databaseItem('mordor', database.name)}\n${own}`;
    const d = await deployed({ databases, settings: { schedule: '*/4 * * * * * *' } });
    await d.startWorker();
    await waitFor('both to be listed', async () => (await listSchedules(d.client)).length === 2);
    const since = new Date(); // an earlier run of the common one may have taken both
    const later = async () => (await records(d)).filter(({ startedAt = '' }) => new Date(startedAt) > since);
    await waitFor('a run of each that began in the same second', async () => {
      const ended = (await later()).filter((r) => r.outcome === 'succeeded');
      const isOf = (target: string) => (r: RunRecord) => r.targets.length === 1 && r.targets[0]?.target === target;
      const second = (r: RunRecord) => r.startedAt.slice(0, 19);
      const mordors = ended.filter(isOf('mordor')).map(second);
      return ended.filter(isOf('shire')).some((r) => mordors.includes(second(r)));
    });
    expect((await later()).filter((r) => r.targets.length > 1)).toEqual([]);
  });

  it('of a target changes and goes away with its entry', async () => {
    const mordor = databaseItem('mordor', database.name);
    const withOwn = (cron: string) => `${mordor}\n${databaseItem('shire', database.name, `schedule: '${cron}'`)}`;
    const d = await deployed({ databases: withOwn('0 4 * * *'), settings: { schedule: '0 3 * * *' } });
    await d.startWorker();
    const crons = async () => {
      const { json } = await d.backupctl(['schedule', 'show', '--json']);
      return (json as (Shown & { targets: string[] })[]).map(({ schedule, targets }) => ({ schedule, targets }));
    };
    const common = { schedule: '0 3 * * *', targets: ['mordor'] };
    expect(await crons()).toEqual([common, { schedule: '0 4 * * *', targets: ['shire'] }]);
    await waitFor('both to be listed', async () => (await listSchedules(d.client)).length === 2);
    await d.configure({ databases: withOwn('0 5 * * *'), settings: { schedule: '0 3 * * *' } });
    const unapplied = await d.backupctl(['schedule', 'show', '--json']);
    expect({ code: unapplied.code, shown: (unapplied.json as Shown[]).map(({ schedule }) => schedule) }).toEqual({
      code: 4,
      shown: ['0 3 * * *'],
    });
    expect(unapplied.stderr).toMatch(/cannot find the schedule 0 5 [^]*HINT: /);
    const changed = (await d.backupctl(['schedule', 'apply'])).stderr;
    for (const line of ['0 3 * * *: unchanged', '0 5 * * *: created', '0 4 * * *: removed'])
      expect(changed).toContain(line);
    expect(await crons()).toEqual([common, { schedule: '0 5 * * *', targets: ['shire'] }]);
    await waitFor('the change to be listed', async () =>
      (await listSchedules(d.client)).some((s) => s.memo.cron === '0 5 * * *'),
    );
    await d.configure({ databases: mordor, settings: { schedule: '0 3 * * *' } });
    expect((await d.backupctl(['schedule', 'apply'])).stderr).toContain('0 5 * * *: removed');
    await waitFor('one to be left', async () => (await listSchedules(d.client)).length === 1);
  });

  it('is warned about in a run where the file has another one by now', async () => {
    const d = await deployed({ settings: { schedule: '0 3 * * *' } });
    await d.startWorker();
    await d.configure({ settings: { schedule: '0 5 * * *' } });
    const { stderr, code } = await d.backupctl(['run']);
    expect(code).toBe(0);
    expect(stderr).toContain('backupctl schedule apply');
  });
});

describe('a worker', () => {
  it('says in words that there is no such namespace, and so does the command line', async () => {
    const d = await deployed();
    const nowhere = { TEMPORAL_NAMESPACE: 'no-such-namespace' };
    await expect(d.startWorker(nowhere)).rejects.toThrow(
      /cannot use the namespace no-such-namespace: because [^]*HINT: /,
    );
    const { code, stderr } = await d.backupctl(['run'], nowhere);
    expect(code).toBe(4);
    expect(stderr).toMatch(/cannot use the namespace no-such-namespace: because .*\nHINT: /);
  });

  it('makes a directory that nobody knows yet', async () => {
    const d = await deployed();
    await rm(d.backupDir, { recursive: true });
    await d.startWorker();
    expect((await d.backupctl(['run'])).code).toBe(0);
  });

  it('refuses a namespace of another service', async () => {
    const d = await deployed({ settings: { service: 'gondor' } });
    await applySchedules(d.client, {
      service: 'shire',
      starts: [{ starts: 'backup', cron: '0 3 * * *' }],
      timezone: 'UTC',
      directoryIds: {},
    });
    await waitFor('the schedule to be listed', async () => (await listSchedules(d.client)).length === 1);
    await expect(d.startWorker()).rejects.toThrow(/belongs to the service shire[^]*HINT: /);
  });

  it('refuses to work beside one that writes to another directory', async () => {
    const d = await deployed();
    await d.startWorker();
    await d.configure({ settings: { backup_dir: join(d.directory, 'elsewhere') } });
    await expect(d.startWorker()).rejects.toThrow(/another worker there writes to another directory[^]*HINT: /);
  });

  it('fails each target where the known directory is not there, until a person says that it is the right one', async () => {
    const d = await deployed({ settings: { schedule: '0 3 * * *' } });
    const worker = await d.startWorker();
    expect((await d.backupctl(['run'])).code).toBe(0);
    await worker.stop();
    await rm(d.backupDir, { recursive: true });
    await waitFor('the schedule to be listed', async () => (await listSchedules(d.client)).length === 1);
    await d.startWorker(); // it starts, so that each run can say what is wrong
    const failed = await d.backupctl(['run', '--json']);
    expect(failed.code).toBe(1);
    expect((failed.json as RunReport).targets[0]?.error).toMatch(
      /cannot use the directory [^]*HINT: .*doctor --init-dir/,
    );
    await expect(readdir(d.backupDir)).rejects.toThrow('ENOENT'); // nothing was written to the wrong disk
    await d.backupctl(['doctor', '--init-dir']);
    expect((await d.backupctl(['run'])).code).toBe(0);
  });
});

describe('runs', () => {
  it('fail at once, with every mistake, where the file is broken by then', async () => {
    const d = await deployed();
    await d.startWorker();
    const handle = await startByHand(d, "backup_config: { backup_dir: 'relative', attempts: many }\n");
    const error = (await handle.result().catch((e: unknown) => e)) as Error;
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).toContain('WorkflowFailedError');
    const { pendingActivities = [] } = (await handle.describe()).raw;
    expect(pendingActivities).toEqual([]);
    const history = JSON.stringify(await handle.fetchHistory());
    expect(history).toContain('backup_dir');
    expect(history).toContain('attempts');
    expect(history.match(/"attempt":[2-9]/)).toBeNull();
  });

  it('of the same second get different ids, and the later one skips what the other is backing up', async () => {
    const d = await deployed();
    await d.startWorker();
    const lock = await lockRings(database.name);
    const first = d.startBackupctl(['run', '--json']);
    await waitForBlockedDump(database.name);
    const second = await d.backupctl(['run', '--json']);
    expect(second.code).toBe(3);
    const report = second.json as RunReport;
    expect(report).toMatchObject({ outcome: 'partial', targets: [{ outcome: 'skipped' }] });
    await lock.release();
    const ended = await first.ended;
    expect(ended.code).toBe(0);
    const other = ended.json as RunReport;
    expect(report.targets[0]?.error).toContain(other.run);
    expect(report.run).not.toBe(other.run);
  });

  it('are refused where no worker polls', async () => {
    const d = await deployed({ settings: { service: 'gondor' } });
    const { code, stderr } = await d.backupctl(['run']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no worker polls backup\nHINT: /);
  });

  it('end at their deadline, what is left failed by name', async () => {
    const d = await deployed({ settings: { deadline: '4s' } });
    await d.startWorker();
    const lock = await lockRings(database.name);
    const { code, json } = await d.backupctl(['run', '--json']);
    await lock.release();
    expect(code).toBe(1);
    expect((json as RunReport).targets[0]).toMatchObject({ outcome: 'failed' });
    expect((json as RunReport).targets[0]?.error).toContain('deadline');
  });

  it('are cancelled by Ctrl-C where nobody can be asked, and leave nothing', async () => {
    const d = await deployed();
    await d.startWorker();
    const lock = await lockRings(database.name);
    const command = d.startBackupctl(['run', '--json']);
    await waitForBlockedDump(database.name);
    command.child.kill('SIGINT');
    const { code, json } = await command.ended;
    await lock.release();
    expect(code).toBe(130);
    const report = json as RunReport;
    expect(report).toMatchObject({ outcome: 'cancelled', targets: [{ outcome: 'cancelled' }] });
    expect(await readdir(join(d.backupDir, report.run))).toEqual(['run.json']);
  });
});

/** Starts a run as the schedule does, with a file that nobody has checked. */
async function startByHand(d: Deployment, text: string) {
  await writeFile(d.configFile, text);
  return d.client.workflow.start<typeof BackupRun>('BackupRun', {
    workflowId: 'broken',
    taskQueue: ORCHESTRATOR_QUEUE,
    args: [{ trigger: 'schedule' }],
  });
}
