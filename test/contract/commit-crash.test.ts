import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCommitted, type ArtifactPlace } from '../../src/destinations/local-commit.js';
import { manifestName, partName } from '../../src/domain/names.js';
import { readManifest } from '../../src/manifest-text.js';
import { attemptCommit } from '../support/commit-attempt.js';
import { factsOf } from '../support/noise-file.js';
import { killAt, runTraced, type TracedCall } from '../support/traced-script.js';

const RUN = '20261124_030000';
const ARTIFACT = `mordor_${RUN}.sql.gz`;
const FIRST = { token: 'first', text: 'what the first attempt captured' };
const SECOND = { token: 'second', text: 'what the second attempt captured, a moment later' };

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'commit-crash-'));
});

afterAll(() => rm(scratch, { recursive: true }));

async function newPlace(): Promise<ArtifactPlace> {
  return { root: await mkdtemp(join(scratch, 'root-')), run: RUN, artifact: ARTIFACT };
}

const pathIn = ({ root }: ArtifactPlace, name: string) => join(root, RUN, name);

/** All that an attempt with this token touches. */
function pathsOf(place: ArtifactPlace, token: string): string[] {
  const names = [ARTIFACT, manifestName(ARTIFACT)];
  const parts = names.flatMap((name) => [partName(name, token), partName(name, 'claim')]);
  return [place.root, join(place.root, RUN), ...[...names, ...parts].map((name) => pathIn(place, name))];
}

const runAttempt = (place: ArtifactPlace, injections: readonly string[]) =>
  runTraced({
    script: 'commit-artifact.ts',
    input: { place, ...FIRST },
    paths: pathsOf(place, FIRST.token),
    injections,
  });

/** A read-only open changes nothing: to die before it is to die before what follows. */
const mayChange = ({ text }: TracedCall) => !text.includes('O_RDONLY');

/** What is true at every moment: whoever sees a manifest sees the whole artifact. */
async function assertNoEmptyPromise(place: ArtifactPlace): Promise<void> {
  const text = await readFile(pathIn(place, manifestName(ARTIFACT)), 'utf8').catch(() => undefined);
  if (text !== undefined) expect(readManifest(text).artifact).toMatchObject(await factsThere(place));
}

const factsThere = async (place: ArtifactPlace) => factsOf(await readFile(pathIn(place, ARTIFACT)));

describe.each([
  { disk: 'a disk with hard links', injections: [] },
  { disk: 'a disk without hard links', injections: ['link,linkat:error=EPERM'] },
])('on $disk', ({ injections }) => {
  test('a commit that is killed at any step is finished by the next attempt', async () => {
    const whole = await runAttempt(await newPlace(), injections);
    expect(whole).toMatchObject({ code: 0, signal: null });
    const steps = whole.calls.filter(mayChange);
    expect(steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'mkdir',
        'openat',
        'write',
        'fsync',
        injections.length > 0 ? 'rename' : 'link',
        'unlink',
      ]),
    );

    for (const step of steps) {
      const place = await newPlace();
      const killed = await runAttempt(place, [...injections, killAt(step)]);
      expect(killed.signal, step.text).toBe('SIGKILL');
      await assertNoEmptyPromise(place);
      await assertFinishes(place, step);
    }
  });
});

async function assertFinishes(place: ArtifactPlace, { text }: TracedCall): Promise<void> {
  const wasNamed = await readFile(pathIn(place, ARTIFACT)).catch(() => undefined);
  const manifest = await attemptCommit({ place, ...SECOND });
  expect((await readdir(join(place.root, RUN))).sort(), text).toEqual([ARTIFACT, manifestName(ARTIFACT)]);
  expect(await findCommitted(place), text).toEqual(manifest);
  expect(manifest.artifact, text).toMatchObject(await factsThere(place));
  // What had its name keeps it, whatever the second attempt has.
  if (wasNamed !== undefined) expect(await readFile(pathIn(place, ARTIFACT)), text).toEqual(wasNamed);

  const before = await stat(pathIn(place, ARTIFACT));
  await attemptCommit({ place, token: 'third', text: 'what a third attempt captured' });
  expect(await stat(pathIn(place, ARTIFACT)), text).toEqual(before);
}

test('a second attempt that is killed at any step, too, is finished by the third', async () => {
  const halfDone = async () => {
    const place = await newPlace();
    const link = { name: 'unlink', occurrence: 1 }; // the artifact has its name, and its part is still there
    expect((await runAttempt(place, [killAt({ ...link, text: '' })])).signal).toBe('SIGKILL');
    expect(await findCommitted(place)).toBe('unfinished');
    return place;
  };
  const runSecond = (place: ArtifactPlace, injections: readonly string[]) =>
    runTraced({
      script: 'commit-artifact.ts',
      input: { place, ...SECOND },
      paths: pathsOf(place, FIRST.token),
      injections,
    });
  const { calls } = await runSecond(await halfDone(), []);
  expect(calls.filter(({ name }) => name === 'link')).toHaveLength(1);
  for (const step of calls.filter(mayChange)) {
    const place = await halfDone();
    expect((await runSecond(place, [killAt(step)])).signal, step.text).toBe('SIGKILL');
    await assertNoEmptyPromise(place);
    await assertFinishes(place, step);
    expect(await factsThere(place)).toEqual(factsOf(Buffer.from(FIRST.text)));
  }
});
