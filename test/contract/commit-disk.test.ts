import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArtifactPlace } from '../../src/destinations/local-commit.js';
import { manifestName, partName } from '../../src/domain/names.js';
import { attemptCommit } from '../support/commit-attempt.js';
import { runTraced, type TracedCall } from '../support/traced-script.js';

const RUN = '20261124_030000';
const ARTIFACT = `mordor_${RUN}.sql.gz`;
const ATTEMPT = { token: 'token', text: 'what was captured' };
const PART = partName(ARTIFACT, ATTEMPT.token);
const MANIFEST = manifestName(ARTIFACT);
const MANIFEST_PART = partName(MANIFEST, ATTEMPT.token);

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'commit-disk-'));
});

afterAll(() => rm(scratch, { recursive: true }));

async function newPlace(): Promise<ArtifactPlace> {
  return { root: await mkdtemp(join(scratch, 'root-')), run: RUN, artifact: ARTIFACT };
}

/** Runs an attempt, watching or breaking only the calls on some names in the run's directory (`.`: the directory). */
function runOn(place: ArtifactPlace, names: readonly string[], injections: readonly string[] = []) {
  const paths = names.map((name) => (name === '..' ? place.root : join(place.root, RUN, name)));
  return runTraced({ script: 'commit-artifact.ts', input: { place, ...ATTEMPT }, paths, injections });
}

describe('what is named is on the disk', () => {
  let calls: TracedCall[];
  let place: ArtifactPlace;

  beforeAll(async () => {
    place = await newPlace();
    ({ calls } = await runOn(place, ['..', '.', ARTIFACT, PART, MANIFEST, MANIFEST_PART]));
  });

  const indexOf = (name: string, path: string, from = 0) =>
    calls.findIndex((call, index) => index >= from && call.name === name && call.text.includes(path));
  const syncOfDirectory = (from: number) => indexOf('fsync', `<${join(place.root, RUN)}>`, from);

  test('the directory of the run, before anything is in it', () => {
    const made = indexOf('mkdir', join(place.root, RUN));
    const synced = indexOf('fsync', `<${place.root}>`);
    expect(made).toBeGreaterThanOrEqual(0);
    expect(synced).toBeGreaterThan(made);
    expect(indexOf('openat', PART)).toBeGreaterThan(synced);
  });

  test('the bytes before their name, the name before the manifest, the manifest before its name', () => {
    const order = [
      indexOf('write', `${PART}>`),
      indexOf('fsync', `${PART}>`),
      indexOf('link', `/${ARTIFACT}")`),
      syncOfDirectory(indexOf('link', `/${ARTIFACT}")`)),
      indexOf('write', `${MANIFEST_PART}>`),
      indexOf('fsync', `${MANIFEST_PART}>`),
      indexOf('link', `/${MANIFEST}")`),
      syncOfDirectory(indexOf('link', `/${MANIFEST}")`)),
    ];
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  test('what a dead attempt named, before its manifest', async () => {
    await rm(join(place.root, RUN, MANIFEST));
    ({ calls } = await runOn(place, ['.', ARTIFACT, MANIFEST]));
    const named = indexOf('link', `/${MANIFEST}")`);
    expect(indexOf('fsync', `${ARTIFACT}>`)).toBeGreaterThanOrEqual(0);
    expect(syncOfDirectory(0)).toBeGreaterThanOrEqual(0);
    expect(named).toBeGreaterThan(Math.max(indexOf('fsync', `${ARTIFACT}>`), syncOfDirectory(0)));
  });

  test('a manifest that a dead attempt named, before it is passed for success', async () => {
    ({ calls } = await runOn(place, ['.']));
    expect(syncOfDirectory(0)).toBeGreaterThanOrEqual(0);
  });
});

describe('a disk that fails', () => {
  test.each([
    ['a full disk under the part', PART, 'openat:error=ENOSPC', 'the disk is full'],
    ['a full disk under the manifest', MANIFEST_PART, 'write:error=ENOSPC', 'the disk is full'],
    ['a used up quota', MANIFEST_PART, 'write:error=EDQUOT', 'quota'],
    ['a part that cannot be synced', PART, 'fsync:error=EIO', 'EIO'],
    ['a manifest that cannot be synced', MANIFEST_PART, 'fsync:error=EIO', 'EIO'],
    ['a directory that cannot be synced', '.', 'fsync:error=EIO', 'EIO'],
    ['a directory that may not be written', PART, 'openat:error=EACCES', 'permission is denied'],
    ['a read-only disk', PART, 'openat:error=EROFS', 'read-only'],
  ])('%s fails the attempt in words, and the next one finishes', async (_what, name, injection, message) => {
    const place = await newPlace();
    const { code, stderr } = await runOn(place, [name], [injection]);
    expect(code).toBe(1);
    expect(stderr).toContain('BackupError: cannot ');
    expect(stderr).toContain(message);
    const left = await readdir(join(place.root, RUN));
    if (injection !== 'fsync:error=EIO' || name !== '.') expect(left).not.toContain(MANIFEST);
    expect(left).not.toContain(MANIFEST_PART);
    if (name === PART) expect(left).not.toContain(ARTIFACT);

    await attemptCommit({ place, token: 'next', text: 'what the next captured' });
    expect((await readdir(join(place.root, RUN))).sort()).toEqual([ARTIFACT, MANIFEST]);
  });

  test.each(['EINVAL', 'EOPNOTSUPP'])(
    'a file system that cannot sync directories (%s) is good enough',
    async (error) => {
      const place = await newPlace();
      expect(await runOn(place, ['.', '..'], [`fsync:error=${error}`])).toMatchObject({ code: 0 });
      expect(await readFile(join(place.root, RUN, ARTIFACT), 'utf8')).toBe(ATTEMPT.text);
    },
  );
});
