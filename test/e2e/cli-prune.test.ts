import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { Destination } from '../../src/destinations/destination.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import { writeRunRecord } from '../../src/run-records.js';
import type { RunRecord } from '../../src/domain/run.js';
import { databaseItem, deploy, type Deployment } from '../support/deployment.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { s3Destination, useProvidedS3 } from '../support/s3-place.js';
import { createBucket } from '../support/s3-server.js';

const id = randomBytes(4).toString('hex');
const bucket = `prune-${id}`;
const settings = { retention_count: 2, service: 'middle-earth' };
const databases = `${databaseItem('mordor', 'mordor')}\n${databaseItem('shire', 'shire', 'retention_count: 1')}`;
const NO_TEMPORAL = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

let deployment: Deployment;
let local: Destination;
let s3: Destination;
let prefix: string;

beforeAll(async () => {
  await useProvidedS3();
  await createBucket(inject('s3').endpoint, bucket);
});
beforeEach(async () => {
  prefix = randomBytes(4).toString('hex');
  deployment = await deploy({ databases, settings, s3: { bucket, prefix } });
  local = createLocalDestination({ root: deployment.backupDir });
  s3 = s3Destination({ bucket, prefix });
  onTestFinished(() => deployment.close());
});

const prune = (...args: string[]) => deployment.backupctl(['prune', ...args], NO_TEMPORAL);
const pin = (...args: string[]) => deployment.backupctl(['pin', ...args], NO_TEMPORAL);
const nights = (target: string, ...days: string[]) => days.map((day) => ({ target, run: `202411${day}_030000` }));

async function kept(destination: Destination): Promise<string[]> {
  const { entries } = await createCatalog(destination).list();
  return entries.map(
    ({ manifest: m }) => `${m.target} ${m.run.slice(6, 8)}${m.service === 'middle-earth' ? '' : ` ${m.service}`}`,
  );
}

async function leaveRecord(run: string, outcome: RunRecord['outcome']): Promise<void> {
  await writeRunRecord(local, {
    ...{ run, service: 'middle-earth', directoryId: '', workflowId: `w-${run}`, trigger: 'manual', targets: [] },
    ...{ startedAt: '2024-11-20T03:00:00.000Z', outcome, warnings: [] },
  });
}

describe('backupctl prune', () => {
  it('leaves of each target as many as its own retention count, in each destination', async () => {
    for (const night of nights('mordor', '20', '21', '22', '23', '24', '25', '26', '27'))
      await placeArtifact([local, s3], night);
    for (const night of nights('shire', '20', '21')) await placeArtifact([s3], night);
    const { code, json, stderr } = await prune('--json');
    expect(code, stderr).toBe(0);
    expect(await kept(local)).toEqual(['mordor 27', 'mordor 26']);
    expect(await kept(s3)).toEqual(['mordor 27', 'mordor 26', 'shire 21']);
    // More than a nightly run would take: a person said so.
    expect(json).toHaveLength(6 + 6 + 1);
    expect((json as unknown[])[0]).toEqual({
      action: 'remove',
      reason: 'older than the 2 newest',
      run: '20241125_030000',
      target: 'mordor',
      kind: 'database',
      destination: 'local',
      location: `${deployment.backupDir}/20241125_030000/mordor_20241125_030000.sql.gz`,
      sizeBytes: 26,
      createdAt: '2024-11-25T03:00:00.000Z',
    });
    expect(stderr).toContain('removed 13 artifacts\n');
    expect((await local.list()).map(({ path }) => path.split('/')[0])).not.toContain('20241125_030000');
  });

  it('says in a dry run what would become of each and why, and removes nothing', async () => {
    for (const night of nights('mordor', '20', '21', '22')) await placeArtifact([local], night);
    await placeArtifact([local], { target: 'gone', run: '20241101_030000' });
    await placeArtifact([local], { target: 'mordor', run: '20241102_030000', service: 'gondor' });
    const before = await local.list();
    const { code, stdout, stderr } = await prune('--dry-run');
    expect(code, stderr).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(`${deployment.backupDir}/`, ''));
    expect(lines).toEqual([
      'keep   20241122_030000/mordor_20241122_030000.sql.gz: 1 of the 2 newest',
      'keep   20241121_030000/mordor_20241121_030000.sql.gz: 2 of the 2 newest',
      'remove 20241120_030000/mordor_20241120_030000.sql.gz: older than the 2 newest',
      'keep   20241102_030000/mordor_20241102_030000.sql.gz: it belongs to another service (gondor)',
      'keep   20241101_030000/gone_20241101_030000.sql.gz: orphaned: its target is no longer in the file',
    ]);
    expect(stderr).toContain('1 artifact would be removed\n');
    expect(await local.list()).toEqual(before);
  });

  it('keeps what any rule or a pin holds, and says by which', async () => {
    const retention = 'retention: { count: 1, daily: 2, weekly: 2, min_age: 1h }';
    await deployment.configure({ databases: databaseItem('mordor', 'mordor', retention) });
    for (const night of nights('mordor', '11', '17', '18', '23', '24')) await placeArtifact([local, s3], night);
    const named = (day: string) => `202411${day}_030000/mordor_202411${day}_030000.sql.gz`;
    const pinned = await pin('20241118_030000', 'MORDOR', '--note', 'before 2.0');
    expect(pinned.stdout).toBe(`pinned ${deployment.backupDir}/${named('18')}\npinned ${s3.location}/${named('18')}\n`);
    expect(pinned.code, pinned.stderr).toBe(0);
    const { stdout } = await prune('--dry-run');
    const lines = stdout.split('\n').filter((line) => line.includes(deployment.backupDir));
    expect(lines.map((line) => line.replace(`${deployment.backupDir}/`, ''))).toEqual([
      `keep   ${named('24')}: 1 of the 1 newest; daily 2024-11-24; weekly 2024-W47`,
      `keep   ${named('23')}: daily 2024-11-23`,
      `keep   ${named('18')}: pinned: before 2.0`,
      `keep   ${named('17')}: weekly 2024-W46`,
      `remove ${named('11')}: no rule holds it (1 newest, 2 daily, 2 weekly, younger than 1h)`,
    ]);
    await prune();
    for (const place of [local, s3])
      expect(await kept(place)).toEqual(['24', '23', '18', '17'].map((d) => `mordor ${d}`));
    const { json } = await deployment.backupctl(['unpin', '20241118_030000', '--json'], NO_TEMPORAL);
    expect(json).toMatchObject([
      { state: 'unpinned', run: '20241118_030000', target: 'mordor', destination: 'local' },
      { state: 'unpinned', destination: 's3' },
    ]);
    await prune();
    for (const place of [local, s3]) expect(await kept(place)).toEqual(['mordor 24', 'mordor 23', 'mordor 17']);
  });

  it('pins where it can, says where it could not, and knows a run that is not there', async () => {
    await deployment.configure({ s3: { bucket: `${bucket}-missing` } });
    for (const night of nights('mordor', '20', '21', '22', '23')) await placeArtifact([local], night);
    const { code, stdout, stderr } = await pin('20241120_030000');
    expect(code).toBe(1);
    expect(stdout).toBe(`pinned ${deployment.backupDir}/20241120_030000/mordor_20241120_030000.sql.gz\n`);
    expect(stderr).toMatch(/^cannot pin in s3:.*: because .*there is no bucket.*\nHINT: pin again/m);
    await prune();
    expect(await kept(local)).toEqual(['mordor 23', 'mordor 22', 'mordor 20']);
    await deployment.configure({});
    const missing = await pin('20241119_030000');
    expect(missing).toMatchObject({ code: 4, stdout: '' });
    expect(missing.stderr).toMatch(/^cannot pin run 20241119_030000: because there is no such artifact\nHINT: /);
    for (const wrong of [['yesterday'], ['20241119_030000', '--note', 'a\u001b[2J'], []]) {
      expect((await pin(...wrong)).code).toBe(2);
    }
  });

  it('counts the source that a target has now, and keeps what came from others', async () => {
    const old = { kind: 'database', systemIdentifier: '1', database: 'mordor' } as const;
    for (const night of nights('mordor', '18', '19', '20')) await placeArtifact([local], { ...night, source: old });
    for (const night of nights('mordor', '21', '22', '23')) await placeArtifact([local], night);
    const { stdout } = await prune('--dry-run');
    expect(stdout.match(/^remove .*$/gm)).toEqual([expect.stringContaining('mordor_20241121_030000')]);
    expect(stdout).toMatch(/mordor_20241120_030000.sql.gz: orphaned: its target has another source now/);
    await prune();
    expect(await kept(local)).toEqual(['mordor 23', 'mordor 22', 'mordor 20', 'mordor 19', 'mordor 18']);
  });

  it('keeps every artifact of a disabled target and of one whose entry has an error', async () => {
    await deployment.configure({
      databases: `${databaseItem('mordor', 'mordor', 'enabled: false')}\n${databaseItem('shire', '${UNSET}')}`,
    });
    for (const target of ['mordor', 'shire']) {
      for (const night of nights(target, '20', '21', '22')) await placeArtifact([local], night);
    }
    const { code, stdout } = await prune('--dry-run');
    expect(code).toBe(0);
    expect(stdout.match(/^keep .*mordor.*: its target is disabled$/gm)).toHaveLength(3);
    expect(stdout.match(/^keep .*shire.*: the entry of its target has an error$/gm)).toHaveLength(3);
  });

  it('keeps what a run that goes on has brought, whatever the clock said then', async () => {
    for (const night of nights('mordor', '20', '21', '22', '23')) await placeArtifact([local], night);
    await leaveRecord('20241120_030000', 'running');
    await leaveRecord('20241121_030000', 'succeeded');
    expect((await prune()).code).toBe(0);
    expect(await kept(local)).toEqual(['mordor 23', 'mordor 22', 'mordor 20']);
    await leaveRecord('20241120_030000', 'succeeded');
    await prune();
    expect(await kept(local)).toEqual(['mordor 23', 'mordor 22']);
  });

  it('leaves a line alone whose newest artifact lies in the future, and says so', async () => {
    for (const night of nights('mordor', '20', '21', '22')) await placeArtifact([local], night);
    await placeArtifact([local], { target: 'mordor', run: '20990101_000000' });
    const { code, stderr } = await prune();
    expect(code).toBe(3);
    expect(stderr).toMatch(/warning: .*cannot prune mordor: because .* a clock was set back/);
    expect(await kept(local)).toHaveLength(4);
  });

  it('prunes the directory where the bucket does not answer, and fails', async () => {
    for (const night of nights('mordor', '20', '21', '22')) await placeArtifact([local], night);
    await deployment.configure({ s3: { bucket: `${bucket}-missing` } });
    const { code, stderr } = await prune();
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is no bucket/);
    expect(await kept(local)).toEqual(['mordor 22', 'mordor 21']);
  });

  it('removes nothing anywhere without the directory, which alone knows what runs', async () => {
    for (const night of nights('mordor', '20', '21', '22')) await placeArtifact([s3], night);
    await rename(deployment.backupDir, `${deployment.backupDir}.away`);
    const { code, stderr } = await prune();
    expect(code).toBe(1);
    expect(stderr).toMatch(/because there is no such directory\nHINT: /);
    expect(await kept(s3)).toHaveLength(3);
  });

  it('does not guess whose artifacts it may remove', async () => {
    await deployment.configure({ settings: { retention_count: 1 } });
    for (const night of nights('mordor', '20', '21')) await placeArtifact([local], night);
    await placeArtifact([s3], { target: 'mordor', run: '20241122_030000', service: 'gondor' });
    const { code, stderr } = await prune();
    expect(code).toBe(1);
    expect(stderr).toMatch(/does not tell which service this is, .*\nHINT: set backup_config.service/);
    expect(await kept(local)).toHaveLength(2);
  });
});
