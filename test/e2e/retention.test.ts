import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import { manifestName } from '../../src/domain/names.js';
import type { RunReport } from '../../src/domain/run.js';
import { sealManifest } from '../../src/manifest-text.js';
import { databaseItem, deploy, volumeItem, type Deployment } from '../support/deployment.js';
import { createVolume, removeVolume } from '../support/docker-volume.js';
import { aManifest } from '../support/manifest.js';
import { createBucket, newClient } from '../support/s3-server.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';

const run = promisify(execFile);
const id = randomBytes(4).toString('hex');
const volume = `data-${id}`;
const bucket = `retention-${id}`;
const prefix = 'nightly';
const LOST = 'lost';

let database: SharedDatabase;
let lost: SharedDatabase;
let deployment: Deployment;
const reports: RunReport[] = [];

beforeAll(async () => {
  database = await createSharedDatabase();
  lost = await createSharedDatabase();
  await createVolume(volume, 'echo one > one.txt');
  await createBucket(inject('s3').endpoint, bucket);
  deployment = await deploy({
    databases: `${databaseItem('mordor', database.name)}\n${databaseItem(LOST, lost.name, 'retention_count: 2')}`,
    volumes: volumeItem('data', volume),
    s3: { bucket, prefix },
    settings: { service: 'middle-earth' },
  });
  await placeStrangers();
  await deployment.startWorker();
  for (let night = 0; night < 6; night++) {
    if (night === 3) await lost.drop();
    const { json } = await deployment.backupctl(['run', '--json']);
    reports.push(json as RunReport);
  }
});
afterAll(async () => {
  await deployment.close();
  await removeVolume(volume);
  await database.drop();
});

/** A file of somebody else in each place, and artifacts of another service older than all of ours. */
async function placeStrangers(): Promise<void> {
  const stranger = aManifest({ service: 'shire', target: 'mordor', run: '20200101_030000' });
  const name = stranger.artifact.name;
  const directory = join(deployment.backupDir, stranger.run);
  await mkdir(directory);
  await writeFile(join(directory, name), 'x'.repeat(100));
  await writeFile(join(directory, manifestName(name)), sealManifest(stranger));
  await writeFile(join(directory, 'notes.txt'), 'mine');
  await writeFile(join(deployment.backupDir, 'mordor_20200101_030000.sql.gz'), 'a script made this');
  await put(`${prefix}/${stranger.run}/${name}`, 'x'.repeat(100));
  await put(`${prefix}/${stranger.run}/${manifestName(name)}`, sealManifest(stranger));
  await put(`${prefix}/mordor_20200101_030000.sql.gz`, 'a script made this');
  await put(`${prefix}-other/notes.txt`, 'mine');
}

async function put(Key: string, Body: string): Promise<void> {
  const client = newClient(inject('s3').endpoint);
  await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  client.destroy();
}

async function keys(): Promise<string[]> {
  const client = newClient(inject('s3').endpoint);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  client.destroy();
  return Contents.map((o) => o.Key ?? '');
}

const ours = (paths: string[], target: string) =>
  paths.filter(
    (p) => new RegExp(`/${target}_(volume_)?\\d{8}_\\d{6}\\.[a-z]+\\.gz$`).test(p) && !p.includes('20200101'),
  );
const runsOf = (paths: string[], target: string) =>
  ours(paths, target)
    .map((p) => /\d{8}_\d{6}/.exec(p)?.[0] ?? '')
    .sort();

async function localPaths(): Promise<string[]> {
  const names = await readdir(deployment.backupDir, { recursive: true });
  return names.map((name) => `/${name}`);
}

describe('six runs with a retention of five, and a target that is lost after the third', () => {
  it('end as they should', () => {
    expect(reports.map((r) => r.outcome)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
      'partial',
      'partial',
      'partial',
    ]);
  });

  for (const target of ['mordor', 'data']) {
    it(`leave the five newest of ${target} in the directory and in the bucket`, async () => {
      const newest = reports.slice(1).map((r) => r.run);
      expect(runsOf(await localPaths(), target)).toEqual(newest);
      expect(runsOf(await keys(), target)).toEqual(newest);
    });
  }

  it('leave a target that fails what it had, by its own retention', async () => {
    const kept = reports.slice(1, 3).map((r) => r.run);
    expect(runsOf(await localPaths(), LOST)).toEqual(kept);
    expect(runsOf(await keys(), LOST)).toEqual(kept);
  });

  it('leave a manifest beside each artifact, and every artifact whole', async () => {
    const { entries, unreadable } = await createCatalog(createLocalDestination({ root: deployment.backupDir })).list();
    expect(unreadable).toEqual([]);
    expect(entries.every((e) => e.whole)).toBe(true);
    expect(entries.filter((e) => e.manifest.service !== 'shire')).toHaveLength(5 + 5 + 2);
  });

  it("leave strangers' files and another service's artifacts alone", async () => {
    const local = await localPaths();
    const remote = await keys();
    const name = 'mordor_20200101_030000.sql.gz';
    for (const path of [
      `/20200101_030000/${name}`,
      `/20200101_030000/${manifestName(name)}`,
      '/20200101_030000/notes.txt',
      `/${name}`,
    ]) {
      expect(local).toContain(path);
    }
    const ofStrangers = [`${prefix}/20200101_030000/${name}`, `${prefix}/20200101_030000/${manifestName(name)}`];
    expect(remote).toEqual(expect.arrayContaining([...ofStrangers, `${prefix}/${name}`, `${prefix}-other/notes.txt`]));
  });

  it('leave checksums that `sha256sum -c` accepts, and nothing of runs whose last artifact went', async () => {
    const gone = reports[0]!.run;
    expect((await localPaths()).filter((p) => p.includes(gone))).toEqual([]);
    expect((await keys()).filter((p) => p.includes(gone))).toEqual([]);
    for (const { run: kept } of reports.slice(1)) {
      const cwd = join(deployment.backupDir, kept);
      const { stdout } = await run('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd });
      const listed = stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/: OK$/, ''));
      expect(listed.sort()).toEqual((await readdir(cwd)).filter((n) => /\.gz$/.test(n)).sort());
    }
  });

  it('are recorded, each target with what became of it', async () => {
    const record = JSON.parse(
      await readFile(join(deployment.backupDir, reports[5]!.run, 'run.json'), 'utf8'),
    ) as RunReport;
    expect(record).toMatchObject({ outcome: 'partial', run: reports[5]!.run });
    expect(record.targets.find((t) => t.target === LOST)?.error).toMatch(/does not exist[^]*HINT: /);
  });

  it('leave a log with what was removed', async () => {
    const log = await readFile(join(deployment.backupDir, 'logs', `backup_${reports[5]!.run}.log`), 'utf8');
    expect(log).toContain(`removing ${deployment.backupDir}/${reports[0]!.run}/mordor_`);
    expect(log).toContain(`removing s3://${bucket}/${prefix}/${reports[0]!.run}/mordor_`);
  });
});
