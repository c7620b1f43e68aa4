import { describe, expect, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { Destination } from '../../src/destinations/destination.js';
import { CHECKSUMS_NAME, inRun, manifestName } from '../../src/domain/names.js';
import { pinName } from '../../src/domain/pin.js';
import { planPrune, type PrunePlan } from '../../src/domain/retention.js';
import { verificationName } from '../../src/domain/verification.js';
import { applyPrune } from '../../src/steps/prune.js';
import { writeChecksums } from '../../src/checksums.js';
import { writeRunRecord } from '../../src/run-records.js';
import { Interruption, interruptedAfter } from '../support/interrupted-destination.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { EACH_PLACE } from '../support/places.js';
import { aRunRecord } from '../support/run-record.js';

const SERVICE = 'middle-earth';
const OLD_RUN = '20261124_030000';
const NEW_RUN = '20261125_030000';

/** Two targets in two runs. The older of `mordor` is to go with what lies beside it, that of `gondor` stays. */
async function fill(destination: Destination): Promise<void> {
  for (const run of [OLD_RUN, NEW_RUN]) {
    for (const target of ['mordor', 'gondor']) await placeArtifact([destination], { target, run, service: SERVICE });
    await writeRunRecord(destination, aRunRecord({ run, service: SERVICE, artifacts: ['mordor', 'gondor'] }));
    await writeChecksums({ destination, run });
  }
  const artifact = inRun(OLD_RUN, `mordor_${OLD_RUN}.sql.gz`);
  await destination.createText(`${artifact}.verified.json`, '{}');
  await destination.createText(inRun(OLD_RUN, `gondor_${OLD_RUN}.sql.gz.verified.json`), '{}');
  await destination.createText(inRun(OLD_RUN, 'stranger.txt'), 'not ours');
}

async function planFor(destination: Destination, targets: readonly string[]): Promise<PrunePlan> {
  const { entries } = await createCatalog(destination).list();
  const lines = targets.map((target) => ({
    ...{ target, kind: 'database' as const, retentionCount: 1, broughtCount: 1 },
    source: { kind: 'database' as const, systemIdentifier: '7400000000000000001', database: target },
  }));
  return planPrune({ service: SERVICE, run: NEW_RUN, now: new Date('2026-11-25T04:00:00Z'), entries, lines });
}

async function prune(destination: Destination, targets: readonly string[]): Promise<void> {
  const plan = await planFor(destination, targets);
  await applyPrune({ destination, plan, service: SERVICE, host: 'default', currentRun: NEW_RUN, log: () => undefined });
}

const namesIn = async (destination: Destination, run: string) =>
  (await destination.list(`${run}/`)).map(({ path }) => path.slice(run.length + 1)).sort();

/** Whoever sees a manifest sees its artifact whole. */
async function assertNoEmptyPromise(destination: Destination): Promise<void> {
  const { entries, unreadable } = await createCatalog(destination).list();
  expect(unreadable).toEqual([]);
  expect(entries.every(({ whole }) => whole)).toBe(true);
}

describe.each(EACH_PLACE)('a prune of $place', ({ own }) => {
  test('that is broken off after any change leaves whole artifacts, and the next one finishes it', async () => {
    let changes = 0;
    for (let isDone = false; !isDone; changes++) {
      const destination = await own();
      await fill(destination);
      const kept = `gondor_${OLD_RUN}.sql.gz`;
      await destination.createText(inRun(OLD_RUN, pinName(kept)), '');
      isDone = await prune(interruptedAfter(destination, changes), ['mordor', 'gondor']).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(Interruption);
          return false;
        },
      );
      await assertNoEmptyPromise(destination);

      await prune(destination, ['mordor', 'gondor']);
      await assertNoEmptyPromise(destination);
      const beside = [manifestName(kept), pinName(kept), verificationName(kept)];
      expect(await namesIn(destination, OLD_RUN)).toEqual(
        [CHECKSUMS_NAME, kept, ...beside, 'run.json', 'stranger.txt'].sort(),
      );
      expect(await destination.readText(inRun(OLD_RUN, CHECKSUMS_NAME))).toMatch(/^[0-9a-f]{64} {2}gondor_\S+\n$/);
      expect(await namesIn(destination, NEW_RUN)).toHaveLength(6);
    }
    expect(changes).toBeGreaterThan(6); // note, manifest, artifact, two companions, checksums, note
  });

  test('that is broken off after any change leaves whole or takes whole what is pinned then', async () => {
    const outcomes = new Set<string>();
    for (let isDone = false, changes = 0; !isDone; changes++) {
      const destination = await own();
      await fill(destination);
      isDone = await prune(interruptedAfter(destination, changes), ['mordor']).then(
        () => true,
        () => false,
      );
      const artifact = `mordor_${OLD_RUN}.sql.gz`;
      await destination.createText(inRun(OLD_RUN, pinName(artifact)), ''); // as a person does who does not look
      const isThere = (await destination.stat(inRun(OLD_RUN, manifestName(artifact)))) !== undefined;
      await prune(destination, ['mordor']);
      await assertNoEmptyPromise(destination);
      const names = (await namesIn(destination, OLD_RUN)).filter((name) => name.startsWith(artifact));
      const beside = [manifestName(artifact), pinName(artifact), verificationName(artifact)];
      if (isThere) expect(names).toEqual([artifact, ...beside]);
      else expect(isDone ? [] : names).toEqual([]); // beside what is gone for good a pin means nothing
      outcomes.add(isThere ? 'whole' : 'gone');
    }
    expect([...outcomes]).toEqual(['whole', 'gone']);
  });

  test("takes a run's record, checksums and log with its last artifact, and no stranger's file", async () => {
    for (const isVisited of [true, false]) {
      const destination = await own();
      await fill(destination);
      await destination.createText(`logs/backup_${OLD_RUN}.log`, 'what happened');
      await destination.createText(`logs/backup_${NEW_RUN}.log`, 'what happened');
      if (!isVisited) await destination.remove(inRun(OLD_RUN, 'stranger.txt'));
      await prune(destination, ['mordor', 'gondor']);
      expect(await namesIn(destination, OLD_RUN)).toEqual(isVisited ? ['stranger.txt'] : []);
      expect(await namesIn(destination, NEW_RUN)).toHaveLength(6);
      expect((await destination.list('logs/')).map(({ path }) => path)).toEqual([`logs/backup_${NEW_RUN}.log`]);
    }
  });

  test('calls off a removal that had only been noted when the plan has changed', async () => {
    const destination = await own();
    await fill(destination);
    await expect(prune(interruptedAfter(destination, 1), ['mordor'])).rejects.toThrow('broken off');
    expect(await namesIn(destination, OLD_RUN)).toContain(`mordor_${OLD_RUN}.sql.gz.removing.json`);
    await prune(destination, []);
    await assertNoEmptyPromise(destination);
    expect((await createCatalog(destination).list()).entries).toHaveLength(4);
    expect(await namesIn(destination, OLD_RUN)).not.toContain(`mordor_${OLD_RUN}.sql.gz.removing.json`);
  });

  test('takes no file for the note of a removal that is not one', async () => {
    const destination = await own();
    await fill(destination);
    const artifact = `mordor_${NEW_RUN}.sql.gz`;
    const text = (await destination.readText(inRun(NEW_RUN, manifestName(artifact)))) ?? '';
    const notes = [inRun(NEW_RUN, 'stranger.txt.removing.json'), inRun(OLD_RUN, `${artifact}.removing.json`)];
    for (const note of notes) await destination.createText(note, text);
    await destination.createText(inRun(NEW_RUN, 'stranger.txt'), 'not ours');
    await destination.createText('x.removing.json', text);
    await prune(destination, []);
    const left = (await destination.list()).map(({ path }) => path);
    expect(left).toEqual(
      expect.arrayContaining([...notes, inRun(NEW_RUN, 'stranger.txt'), inRun(NEW_RUN, artifact), 'x.removing.json']),
    );
  });
});
