import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { databaseItem, deploy, volumeItem, type Deployment } from '../support/deployment.js';
import { createVolume, removeVolume } from '../support/docker-volume.js';
import { psql } from '../support/shared-postgres.js';
import type { WorkerProcess } from '../support/worker-process.js';
import { createBucket, newClient } from '../support/s3-server.js';

const id = randomBytes(4).toString('hex');
const database = `mordor_${id}`;
const volume = `data-${id}`;
const bucket = `backups-${id}`;
let deployment: Deployment;
let worker: WorkerProcess;

beforeAll(async () => {
  await psql('postgres', `CREATE DATABASE ${database}`);
  await psql(database, `CREATE TABLE rings AS SELECT n AS id, md5(n::text) AS name FROM generate_series(1, 10000) n`);
  await createVolume(volume, 'echo one > one.txt');
  await createBucket(inject('s3').endpoint, bucket);
  deployment = await deploy({
    databases: databaseItem('mordor', database),
    volumes: volumeItem('data', volume),
    s3: { bucket, prefix: 'nightly' },
  });
  worker = await deployment.startWorker();
});
afterAll(async () => {
  await deployment.close();
  await removeVolume(volume);
  await psql('postgres', `DROP DATABASE ${database}`);
});

describe('backupctl run', () => {
  it('captures every target and brings it to every destination', async () => {
    const { code, json, stderr } = await deployment.backupctl(['run', '--json']);
    expect(stderr).toContain('mordor: succeeded');
    expect(json as RunReport).toMatchObject({
      outcome: 'succeeded',
      targets: [{ target: 'mordor' }, { target: 'data' }],
    });
    expect(code).toBe(0);
  });

  it('backs up the named target alone, whatever its case, and leaves the rest to `status`', async () => {
    const { code, json } = await deployment.backupctl(['run', 'MORDOR', '--json']);
    expect({ code, targets: (json as RunReport).targets.map((t) => t.target) }).toEqual({
      code: 0,
      targets: ['mordor'],
    });
    const status = await deployment.backupctl(['status', (json as RunReport).run, '--json']);
    expect(status.json).toMatchObject({ outcome: 'succeeded', trigger: 'manual' });
  });

  it('returns at once with --detach, and the run goes on', async () => {
    const { code, json } = await deployment.backupctl(['run', '--detach', '--json']);
    expect(code).toBe(0);
    const { workflowId } = json as { workflowId: string };
    expect(await deployment.client.workflow.getHandle(workflowId).result()).toMatchObject({ outcome: 'succeeded' });
  });

  it('copies on where a manifest in the bucket is damaged, and leaves that one as it is', async () => {
    const { json } = await deployment.backupctl(['run', 'mordor', '--json']);
    const { run, targets } = json as RunReport;
    const key = `nightly/${run}/${targets[0]?.artifact ?? ''}.manifest.json`;
    const client = newClient(inject('s3').endpoint);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: '{}' }));
    expect((await deployment.backupctl(['run', 'mordor'])).code).toBe(0);
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    expect(await Body?.transformToString()).toBe('{}');
    client.destroy();
  });

  it('refuses a name that the file does not have', async () => {
    const { code, stderr } = await deployment.backupctl(['run', 'gondor']);
    expect(code).toBe(4);
    expect(stderr).toMatch(/cannot back up gondor: because .*\nHINT: enabled targets: mordor, data/);
  });

  it('and `status` answer where no worker does', async () => {
    await worker.stop();
    const { workflowId } = await deployment.client.workflow.start('BackupRun', {
      workflowId: `${id}/run-unanswered`,
      taskQueue: 'backup',
      args: [{ trigger: 'manual' }],
    });
    const { code, json } = await deployment.backupctl(['status', '--json']);
    expect(code).toBe(0);
    expect(json).toMatchObject({ running: [{ workflowId }] });
    await deployment.client.workflow.getHandle(workflowId).terminate();
  });
});

describe('backupctl prune', () => {
  it('removes nothing anywhere where the directory is not the one of its runs', async () => {
    const file = join(deployment.backupDir, '.backup-dir.json');
    const identity = JSON.parse(await readFile(file, 'utf8')) as { id: string };
    await writeFile(file, JSON.stringify({ ...identity, id: 'another' }));
    const { code, stderr } = await deployment.backupctl(['prune']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot prune: because .* is not the directory of its runs: its id is another.*\nHINT: /);
  });
});
