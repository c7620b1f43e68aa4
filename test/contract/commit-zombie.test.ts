import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findCommitted, type ArtifactPlace } from '../../src/destinations/local-commit.js';
import { publish, renameUnderClaim } from '../../src/destinations/local-publish.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { manifestName, partName } from '../../src/domain/names.js';
import { attemptCommit, type CommitAttempt } from '../support/commit-attempt.js';

const RUN = '20261124_030000';
const ARTIFACT = `mordor_${RUN}.sql.gz`;

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'commit-zombie-'));
});

afterAll(() => rm(scratch, { recursive: true }));

async function newPlace(): Promise<ArtifactPlace> {
  return { root: await mkdtemp(join(scratch, 'root-')), run: RUN, artifact: ARTIFACT };
}

const directoryOf = ({ root }: ArtifactPlace) => join(root, RUN);

class Moment {
  happen: () => void = () => undefined;
  readonly happened = new Promise<void>((resolve) => (this.happen = resolve));
}

/** An attempt that sleeps once it has proved its file, until it is woken. */
function sleeper(attempt: Omit<CommitAttempt, 'onProved'>) {
  const [asleep, waking] = [new Moment(), new Moment()];
  const onProved = () => {
    asleep.happen();
    return waking.happened;
  };
  const ended = attemptCommit({ ...attempt, onProved });
  ended.catch(() => undefined); // looked at below
  return {
    asleep: asleep.happened,
    async wake(): Promise<Manifest | Error> {
      waking.happen();
      return ended.catch((error: unknown) => error as Error);
    },
  };
}

async function snapshot(place: ArtifactPlace) {
  const names = (await readdir(directoryOf(place))).sort();
  const files = names.map(async (name) => {
    const path = join(directoryOf(place), name);
    const { ino, mtimeMs, ctimeMs } = await stat(path);
    return { name, text: await readFile(path, 'utf8'), ino, mtimeMs, ctimeMs };
  });
  return Promise.all(files);
}

test('an attempt that slept while another committed changes nothing', async () => {
  const place = await newPlace();
  const zombie = sleeper({ place, token: 'zombie', text: 'of the zombie' });
  await zombie.asleep;
  const manifest = await attemptCommit({ place, token: 'next', text: 'of the next attempt' });
  const committed = await snapshot(place);
  expect(committed.map(({ name }) => name)).toEqual([ARTIFACT, manifestName(ARTIFACT)]);

  expect(await zombie.wake()).toEqual(manifest);
  expect(await snapshot(place)).toEqual(committed);
});

test('an attempt that slept with its file named finds it finished, and changes nothing', async () => {
  const place = await newPlace();
  await attemptCommit({ place, token: 'first', text: 'of the first' });
  await rm(join(directoryOf(place), manifestName(ARTIFACT)));
  const zombie = sleeper({ place, token: 'zombie', text: 'not captured' });
  await zombie.asleep;
  const manifest = await attemptCommit({ place, token: 'next', text: 'not captured' });
  const committed = await snapshot(place);

  expect(await zombie.wake()).toEqual(manifest);
  expect(await snapshot(place)).toEqual(committed);
});

test('two attempts that prove at the same time commit one of their files, whole', async () => {
  const place = await newPlace();
  const one = sleeper({ place, token: 'one', text: 'of one' });
  await one.asleep;
  // The other began before the part of the first was there to be swept.
  const part = join(directoryOf(place), partName(ARTIFACT, 'one'));
  const ofOne = await readFile(part);
  const other = sleeper({ place, token: 'other', text: 'of the other, longer' });
  await other.asleep;
  await writeFile(part, ofOne);

  const manifests = await Promise.all([other.wake(), one.wake()]);
  expect(manifests[0]).toEqual(manifests[1]);
  expect(manifests[0]).toEqual(await findCommitted(place));
  const [artifact, ...rest] = await snapshot(place);
  expect(rest.map(({ name }) => name)).toEqual([manifestName(ARTIFACT)]);
  expect(['of one', 'of the other, longer']).toContain(artifact?.text);
});

test('a manifest of another size than its artifact is no success', async () => {
  const place = await newPlace();
  await attemptCommit({ place, token: 'one', text: 'whole' });
  await writeFile(join(directoryOf(place), ARTIFACT), 'cut');
  await expect(attemptCommit({ place, token: 'two', text: 'whole' })).rejects.toMatchObject({ code: 'Damaged' });
  await rm(join(directoryOf(place), ARTIFACT));
  await expect(attemptCommit({ place, token: 'two', text: 'whole' })).rejects.toMatchObject({ code: 'Damaged' });
});

test('a damaged manifest is neither replaced nor passed for success', async () => {
  const place = await newPlace();
  await attemptCommit({ place, token: 'one', text: 'whole' });
  const path = join(directoryOf(place), manifestName(ARTIFACT));
  await writeFile(path, (await readFile(path, 'utf8')).replace('mordor', 'gondor'));
  await expect(attemptCommit({ place, token: 'two', text: 'whole' })).rejects.toMatchObject({ code: 'Damaged' });
  expect(await readFile(path, 'utf8')).toContain('gondor');
});

test('without hard links, who takes over a claim takes the part of its holder first', async () => {
  const directory = await mkdtemp(join(scratch, 'claim-'));
  const final = join(directory, 'x');
  const [sleeping, awake] = [join(directory, 'x.sleeping.part'), join(directory, 'x.awake.part')];
  await writeFile(sleeping, 'of the sleeper');
  await writeFile(awake, 'of the other');
  await writeFile(join(directory, 'x.claim.part'), ''); // the sleeper's, about to rename

  expect(await renameUnderClaim({ part: awake, final })).toBe('published');
  expect(await readFile(final, 'utf8')).toBe('of the other');
  expect(await readdir(directory)).toEqual(['x']);
  expect(await publish({ part: sleeping, final })).toBe('taken');
});

test('without hard links, a taken name stays what it is', async () => {
  const directory = await mkdtemp(join(scratch, 'taken-'));
  const [final, part] = [join(directory, 'x'), join(directory, 'x.late.part')];
  await writeFile(final, 'committed');
  await writeFile(part, 'late');
  expect(await renameUnderClaim({ part, final })).toBe('taken');
  expect(await readFile(final, 'utf8')).toBe('committed');
  expect((await readdir(directory)).sort()).toEqual(['x', 'x.late.part']);
});

test('without hard links, many at once give a name to one file and never to a second', async () => {
  let published = 0;
  for (let round = 0; round < 20; round++) {
    const directory = await mkdtemp(join(scratch, 'race-'));
    const final = join(directory, 'x');
    const rivals = Array.from({ length: 8 }, (_, index) => `rival ${String(index)}`);
    const parts = rivals.map((rival, index) => ({ rival, part: join(directory, `x.${String(index)}.part`) }));
    for (const { rival, part } of parts) await writeFile(part, rival);
    const outcomes = await Promise.allSettled(
      parts.map(async ({ rival, part }) => {
        const outcome = await renameUnderClaim({ part, final });
        return { rival, outcome, seen: await readFile(final, 'utf8') };
      }),
    );
    const ended = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
    const winners = ended.filter(({ outcome }) => outcome === 'published');
    expect(winners.length).toBeLessThanOrEqual(1);
    published += winners.length;
    for (const { seen } of ended) expect(seen).toBe(await readFile(final, 'utf8'));
    if (winners[0] !== undefined) expect(winners[0].seen).toBe(winners[0].rival);
  }
  expect(published).toBeGreaterThan(0);
});
