import { rm, truncate } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Destination } from '../../src/destinations/destination.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { databaseItem, deploy, type Deployment } from '../support/deployment.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { s3Destination, useProvidedS3 } from '../support/s3-place.js';
import { createBucket } from '../support/s3-server.js';

const bucket = `list-${randomBytes(4).toString('hex')}`;
let deployment: Deployment;
let local: Destination;
let s3: Destination;
let newest: Manifest;

beforeAll(async () => {
  await createBucket(inject('s3').endpoint, bucket);
  await useProvidedS3();
  deployment = await deploy({
    databases: `${databaseItem('mordor', 'mordor')}\n${databaseItem('new', 'new')}`,
    s3: { bucket, prefix: 'nightly' },
    settings: { timezone: 'America/Sao_Paulo', service: 'middle-earth' },
  });
  local = createLocalDestination({ root: deployment.backupDir });
  s3 = s3Destination({ bucket, prefix: 'nightly' });
  await placeArtifact([local, s3], { target: 'mordor', run: '20261122_030000' });
  // An hour that was repeated, or a zone that changed: the order is that of the captures.
  newest = await placeArtifact([local, s3], {
    target: 'mordor',
    run: '20261120_030000',
    captureStartedAt: '2026-11-23T06:00:01.000Z',
  });
  await placeArtifact([s3], { target: 'gone', run: '20261121_030000' });
});
afterAll(() => deployment.close());

const runs = (json: unknown) =>
  (json as { run: string; destination: string }[]).map((r) => `${r.run} ${r.destination}`);

describe('backupctl list', () => {
  it('shows what lies in every destination, newest capture first, with all that is promised of a row', async () => {
    const { code, json } = await deployment.backupctl(['list', '--json']);
    expect(code).toBe(0);
    expect(runs(json)).toEqual([
      '20261120_030000 local',
      '20261120_030000 s3',
      '20261122_030000 local',
      '20261122_030000 s3',
      '20261121_030000 s3',
    ]);
    const { name, sizeBytes, sha256 } = newest.artifact;
    expect((json as unknown[])[1]).toStrictEqual({
      run: '20261120_030000',
      target: 'mordor',
      kind: 'database',
      destination: 's3',
      location: `s3://${bucket}/nightly/20261120_030000/${name}`,
      sizeBytes,
      sha256,
      createdAt: '2026-11-23T06:00:01.000Z',
      verified: null,
      restoreMs: null,
      pinned: null,
      orphaned: null,
      suspicious: null,
    });
    expect((json as { location: string }[])[0]?.location).toBe(join(deployment.backupDir, '20261120_030000', name));
  });

  it('shows people a table, in the configured zone', async () => {
    const { stdout } = await deployment.backupctl(['list', 'mordor', '--from', 'local']);
    const [title, first, second, ...more] = stdout.trimEnd().split('\n');
    expect(title).toMatch(/^RUN +TARGET +KIND +DESTINATION +SIZE +CREATED +VERIFIED$/);
    expect(first).toMatch(/^20261120_030000 +mordor +database +local +26 B +2026-11-23 03:00:01 -03:00 +-$/);
    expect(second).toMatch(/^20261122_030000 /);
    expect(more).toEqual([]);
  });

  it('marks what is orphaned, pinned or suspicious', async () => {
    const source = { kind: 'database', systemIdentifier: '1', database: 'mordor' } as const;
    const moved = await placeArtifact([local], { target: 'mordor', run: '20261118_030000', source });
    const path = `20261118_030000/${moved.artifact.name}`;
    await local.createText(`${path}.pin`, '');
    try {
      const { stdout } = await deployment.backupctl(['list']);
      const [title, ...lines] = stdout.trimEnd().split('\n');
      expect(title).toMatch(/ VERIFIED +NOTES$/);
      const noted = lines.filter((line) => !line.endsWith('-')).map((line) => line.replace(/ +/g, ' '));
      expect(noted).toEqual([
        expect.stringMatching(/^20261121_030000 gone .* - orphaned$/),
        expect.stringMatching(/^20261118_030000 mordor .* - pinned, orphaned$/),
      ]);
      const { json } = await deployment.backupctl(['list', '--json']);
      expect((json as unknown[]).slice(-2)).toMatchObject([
        { target: 'gone', pinned: null, orphaned: 'its target is no longer in the file' },
        {
          target: 'mordor',
          pinned: {},
          orphaned: expect.stringMatching(/^its target has another source now/) as string,
        },
      ]);
    } finally {
      await rm(join(deployment.backupDir, '20261118_030000'), { recursive: true });
    }
  });

  it('narrows to a target, whatever its case and whether it is still configured, and to a destination', async () => {
    expect(runs((await deployment.backupctl(['list', 'MORDOR', '--from', 's3', '--json'])).json)).toEqual([
      '20261120_030000 s3',
      '20261122_030000 s3',
    ]);
    expect(runs((await deployment.backupctl(['list', 'gone', '--json'])).json)).toEqual(['20261121_030000 s3']);
  });

  it('tells a target without artifacts from one that nobody knows', async () => {
    const empty = await deployment.backupctl(['list', 'new', '--json']);
    expect(empty).toMatchObject({ code: 0, json: [] });
    const unknown = await deployment.backupctl(['list', 'rohan', '--json']);
    expect(unknown).toMatchObject({ code: 4, stdout: '' });
    expect(unknown.stderr).toMatch(/^cannot list rohan: because .*\nHINT: /);
  });

  it('refuses a destination that there is not, with the code of wrong use', async () => {
    expect((await deployment.backupctl(['list', '--from', 'moon'])).code).toBe(2);
  });

  it('shows other services too, and then whose each artifact is', async () => {
    const stranger = await placeArtifact([s3], { target: 'mordor', run: '20261119_030000', service: 'gondor' });
    try {
      const { stdout } = await deployment.backupctl(['list', 'mordor']);
      expect(stdout).toMatch(/^RUN +TARGET +KIND +SERVICE +DESTINATION/);
      expect(stdout).toMatch(/20261119_030000 +mordor +database +gondor +s3/);
      expect(stdout).toMatch(/20261120_030000 +mordor +database +middle-earth +local/);
    } finally {
      await s3.remove(`20261119_030000/${stranger.artifact.name}.manifest.json`);
    }
  });

  it('says what is damaged instead of listing it', async () => {
    const damaged = await placeArtifact([local], { target: 'mordor', run: '20261110_030000' });
    const cut = await placeArtifact([local], { target: 'mordor', run: '20261111_030000' });
    const pathOf = ({ run, artifact }: Manifest) => join(deployment.backupDir, run, artifact.name);
    await rm(pathOf(damaged));
    await truncate(`${pathOf(cut)}.manifest.json`, 100);
    try {
      const { code, json, stderr } = await deployment.backupctl(['list', 'mordor', '--from', 'local', '--json']);
      expect(runs(json)).toEqual(['20261120_030000 local', '20261122_030000 local']);
      expect(stderr).toContain(`not listed: ${pathOf(damaged)}: it is missing`);
      expect(stderr).toContain(`not listed: ${pathOf(cut)}.manifest.json: cannot read the manifest`);
      expect(code).toBe(0);
    } finally {
      for (const run of ['20261110_030000', '20261111_030000'])
        await rm(join(deployment.backupDir, run), { recursive: true });
    }
  });

  it('shows the others where one destination does not answer, and says so', async () => {
    await deployment.configure({ s3: { bucket: `${bucket}-missing` } });
    try {
      const { code, json, stderr } = await deployment.backupctl(['list', '--json']);
      expect(runs(json)).toEqual(['20261120_030000 local', '20261122_030000 local']);
      expect(stderr).toMatch(/there is no bucket .*-missing\nHINT: /);
      expect(code).toBe(1);
      // What it does not show may be there: that is no "not found".
      expect((await deployment.backupctl(['list', 'gone', '--json'])).code).toBe(1);
    } finally {
      await deployment.configure({});
    }
  });
});
