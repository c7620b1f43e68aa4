import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { databaseItem, deploy, volumeItem, type Deployment } from '../support/deployment.js';
import { createVolume, removeVolume } from '../support/docker-volume.js';
import { psql } from '../support/shared-postgres.js';
import { createBucket } from '../support/s3-server.js';

const id = randomBytes(4).toString('hex');
const database = `mordor_${id}`;
const volume = `data-${id}`;
const bucket = `backups-${id}`;
let deployment: Deployment;

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
  await deployment.startWorker();
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
});
