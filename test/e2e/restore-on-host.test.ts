import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { RestoredTarget, RestorePlan } from '../../src/domain/restore-plan.js';
import type { RunReport } from '../../src/domain/run.js';
import { SOON_LOST, databaseItem, deploy, volumeItem, type Deployment, type Host } from '../support/deployment.js';
import { createVolume, insideVolume, removeVolume } from '../support/docker-volume.js';
import { createBucket } from '../support/s3-server.js';
import { psql } from '../support/shared-postgres.js';
import { waitFor } from '../support/wait-for.js';
import { walk } from '../support/walk.js';
import type { WorkerProcess } from '../support/worker-process.js';

const id = randomBytes(4).toString('hex');
const mordor = `mordor_${id}`;
const slow = `slow_${id}`;
const volume = `data-${id}`;
const gate = `open_${id}`;
const bucket = `on-host-${id}`;

let deployment: Deployment;
let north: Host;
let northWorker: WorkerProcess;
let run: string;

beforeAll(async () => {
  await psql('postgres', `CREATE DATABASE ${mordor}`);
  await psql('postgres', `CREATE DATABASE ${slow}`);
  await psql(mordor, 'CREATE TABLE rings AS SELECT n FROM generate_series(1, 9) n');
  await createVolume(volume, 'echo one >file; ln file link; mkdir dir; echo two >dir/other');
  await createBucket(inject('s3').endpoint, bucket);
  deployment = await deploy({
    databases: `${databaseItem('mordor', mordor)}\n${databaseItem('slow', slow)}`,
    volumes: volumeItem('data', volume),
    s3: { bucket },
    settings: { service: 'middle-earth', ...SOON_LOST },
  });
  await psql(slow, HELD);
  north = await deployment.addHost('north');
  await deployment.startWorker();
  northWorker = await north.startWorker();
  const { json, stderr } = await deployment.backupctl(['run', '--json']);
  expect(json, stderr).toMatchObject({ outcome: 'succeeded' });
  run = (json as RunReport).run;
});
afterAll(async () => {
  await deployment.close();
  await removeVolume(volume);
  for (const name of await databases()) await psql('postgres', `DROP DATABASE ${name} WITH (FORCE)`);
});

/** Content whose restore stops in the middle of a table until there is the role `gate`. */
const HELD = `
  CREATE FUNCTION pause(n int) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
      WHILE current_database() LIKE '%restoring%' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${gate}') LOOP
        PERFORM pg_sleep(0.02);
      END LOOP;
      RETURN true;
    END $$;
  CREATE TABLE kept (n int CHECK (pause(n)));
  INSERT INTO kept VALUES (1), (2);`;

async function databases(): Promise<string[]> {
  const found = await psql('postgres', `SELECT datname FROM pg_database WHERE datname LIKE '%${id}%' ORDER BY 1`);
  return found.split('\n').filter(Boolean);
}

/** The database that a restore fills and cannot finish, once it is there. */
function held(into: string, besides = ''): Promise<string> {
  return waitFor(
    'the restore to fill a table',
    async () => {
      const sql = `SELECT datname FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname LIKE '${into}_restoring_%' AND datname <> '${besides}'`;
      return (await psql('postgres', sql)) || undefined;
    },
    { timeoutMs: 60_000 },
  );
}

const onNorth = (...args: string[]) => ['restore', ...args, '--on-host', 'north'];
const fetched = async () => (await readdir(north.backupDir)).filter((name) => name.startsWith('.restore-'));

describe('backupctl restore --plan', () => {
  it('says what would be done, and touches nothing', async () => {
    const before = await databases();
    const { code, stdout, stderr } = await deployment.backupctl(
      ['restore', 'mordor', '--into', `planned_${id}`, '--plan'],
      { TEMPORAL_ADDRESS: '127.0.0.1:1' },
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(new RegExp(`^restore   mordor \\(database\\) of run ${run}, captured .+ ago\\)$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^into      the new database planned_${id} on \\S+:\\d+$`, 'm'));
    expect(stdout).toMatch(/^expected {2}unknown: no drill yet$/m);
    expect(stdout).toMatch(/^versions {2}PostgreSQL (\S+) .*when it was captured, PostgreSQL \1 there$/m);
    expect(await databases()).toEqual(before);
  });

  it('asks the worker of a host, and refuses what the restore would', async () => {
    const { code, json, stderr } = await deployment.backupctl(
      onNorth('data', '--into', `no-${id}`, '--plan', '--json'),
    );
    expect(code, stderr).toBe(0);
    expect(json as RestorePlan).toMatchObject({
      target: 'data',
      run,
      destination: 's3',
      into: `no-${id}`,
      warnings: [],
    });
    const refused = await deployment.backupctl(onNorth('mordor', '--plan'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/cannot restore into \S+: because that database exists on .*\nHINT: .*--into/);
  });
});

describe('backupctl restore --on-host', () => {
  it('restores there what another host captured, from S3', async () => {
    const into = `there-${id}`;
    onTestFinished(() => removeVolume(into));
    const { code, json, stderr } = await deployment.backupctl(onNorth('data', '--into', into, '--json'));
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^from +s3:/m);
    expect(json as RestoredTarget).toMatchObject({ target: 'data', kind: 'volume', run, destination: 's3', into });
    expect(await walk(await insideVolume(into))).toEqual(await walk(await insideVolume(volume)));
    expect(await fetched()).toEqual([]);
  });

  it('goes on with another worker where the first was killed in its middle, and leaves nothing of it', async () => {
    const into = `killed_${id}`;
    const command = deployment.startBackupctl(onNorth('slow', '--into', into));
    const first = await held(into);
    expect(await fetched()).toHaveLength(1);
    northWorker.crash();
    northWorker = await north.startWorker();
    const second = await held(into, first);
    expect(await databases()).not.toContain(first);
    await psql('postgres', `CREATE ROLE ${gate}`);
    onTestFinished(async () => void (await psql('postgres', `DROP ROLE ${gate}`)));
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/\nrestored slow of run /);
    expect(second.slice(0, -4)).toBe(first.slice(0, -4));
    expect(await psql(into, 'SELECT sum(n) FROM kept')).toBe('3');
    expect((await databases()).filter((name) => name.includes('restoring'))).toEqual([]);
    expect(await fetched()).toEqual([]);
  });

  it('leaves everything as it was where it is cancelled in its middle, and is one at a time', async () => {
    const before = await databases();
    const into = `cancelled_${id}`;
    const command = deployment.startBackupctl(onNorth('slow', '--into', into));
    await held(into);
    const other = await deployment.backupctl(onNorth('slow', '--into', `other_${id}`));
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/because a restore of it goes on\nHINT: .*middle-earth\/restore\/slow/);
    command.child.kill('SIGINT'); // nobody at a terminal can be asked: it cancels
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(/\ncancelling the restore\n/);
    expect(await databases()).toEqual(before);
    expect(await fetched()).toEqual([]);
  });

  it('names a host that has no worker, and starts nothing', async () => {
    const { code, stderr } = await deployment.backupctl(['restore', 'mordor', '--on-host', 'nowhere']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/because no worker polls backup-nowhere\nHINT: /);
  });
});
