import { describe, expect, test } from 'vitest';
import type { Destination } from '../../src/destinations/destination.js';
import { RUN_RECORD_NAME } from '../../src/domain/names.js';
import { forgetEmptyRuns } from '../../src/empty-runs.js';
import { writeRunRecord } from '../../src/run-records.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { EACH_PLACE, ownLocal } from '../support/places.js';
import { aRunRecord, type RecordChanges } from '../support/run-record.js';

const SERVICE = 'middle-earth';
const NOW = new Date('2026-11-30T12:00:00Z');

/** The day's run. */
const runOf = (day: number) => `202611${String(day).padStart(2, '0')}_030000`;

async function keep(destination: Destination, ...records: RecordChanges[]): Promise<void> {
  for (const changes of records) {
    const { finishedAt, ...record } = aRunRecord(changes);
    await writeRunRecord(
      destination,
      changes.outcome === 'running' || finishedAt === undefined ? record : { ...record, finishedAt },
    );
  }
}

async function forget(
  destination: Destination,
  keepRecords: number,
  currentRun?: string,
  host?: string,
): Promise<string[]> {
  await forgetEmptyRuns({
    destination,
    service: SERVICE,
    keepRecords,
    now: NOW,
    ...(currentRun !== undefined && { currentRun }),
    ...(host !== undefined && { host }),
  });
  const left = (await destination.list()).map(({ path }) => path);
  return left
    .filter((path) => path.endsWith(RUN_RECORD_NAME))
    .map((path) => path.slice(0, 15))
    .sort();
}

describe.each(EACH_PLACE)('runs without artifact in $place', ({ own }) => {
  test('are forgotten, all but the newest of those that never left one', async () => {
    const destination = await own();
    await keep(destination, ...[1, 2, 3, 4].map((day) => ({ run: runOf(day) })));
    await keep(destination, ...[5, 6].map((day) => ({ run: runOf(day), artifacts: ['mordor'] })));
    await placeArtifact([destination], { target: 'mordor', run: runOf(5) });
    // By when they started, not by name: the clock was wrong once.
    await keep(destination, { run: runOf(1), startedAt: '2026-11-29T03:00:00.000Z' });
    expect(await forget(destination, 2)).toEqual([runOf(1), runOf(4), runOf(5)]);
    expect(await forget(destination, 0)).toEqual([runOf(5)]);
  });
});

test('the run that prunes keeps its record', async () => {
  const destination = await ownLocal();
  await keep(destination, { run: runOf(1) }, { run: runOf(2), artifacts: ['mordor'] });
  expect(await forget(destination, 0, runOf(2))).toEqual([runOf(2)]);
  expect(await forget(destination, 0, runOf(1))).toEqual([]);
});

test('runs that go on keep theirs, until they are too old to go on', async () => {
  const destination = await ownLocal();
  const running = { outcome: 'running' as const };
  await keep(
    destination,
    { run: runOf(29), ...running },
    { run: runOf(24), ...running },
    { run: runOf(10), ...running },
  );
  expect(await forget(destination, 0)).toEqual([runOf(24), runOf(29)]);
});

test('another service keeps its records', async () => {
  const destination = await ownLocal();
  await keep(destination, { run: runOf(1), service: 'gondor' }, { run: runOf(2), service: 'gondor', artifacts: ['x'] });
  expect(await forget(destination, 0)).toEqual([runOf(1), runOf(2)]);
});

test('records that cannot be read, or are of another run, stay', async () => {
  const destination = await ownLocal();
  for (const [day, text] of ['', '{', 'null', '[]', '{}', JSON.stringify(aRunRecord({ run: runOf(20) }))].entries()) {
    await destination.createText(`${runOf(day + 1)}/${RUN_RECORD_NAME}`, text);
  }
  expect(await forget(destination, 0)).toHaveLength(6);
});

test('a directory with any other file stays, and so does one with an unreadable manifest', async () => {
  const destination = await ownLocal();
  await keep(destination, { run: runOf(1) }, { run: runOf(2), artifacts: ['mordor'] });
  await destination.createText(`${runOf(1)}/stranger.txt`, 'not ours');
  await destination.createText(`${runOf(2)}/mordor.sql.gz.manifest.json`, 'unreadable');
  expect(await forget(destination, 0)).toEqual([runOf(2)]);
  expect((await destination.list()).map(({ path }) => path)).toContain(`${runOf(1)}/stranger.txt`);
});

test('an artifact without a host, as older records name it, was here where the default host is', async () => {
  const destination = await ownLocal();
  await keep(destination, { run: runOf(1), artifacts: ['mordor'] });
  expect(await forget(destination, 1, undefined, 'default')).toEqual([]);
});

test('a run whose artifacts lie on other hosts left none here', async () => {
  const elsewhere = { ...aRunRecord({ run: runOf(1), artifacts: ['shire'] }).targets[0]!, host: 'north' };
  const forgetOn = async (host: string) => {
    const destination = await ownLocal();
    for (const day of [1, 2]) {
      const record = aRunRecord({ run: runOf(day), outcome: 'succeeded' });
      await writeRunRecord(destination, { ...record, targets: [elsewhere] });
    }
    return forget(destination, 1, undefined, host);
  };
  expect(await forgetOn('default')).toEqual([runOf(2)]); // as a fruitless one
  expect(await forgetOn('north')).toEqual([]); // they were pruned
});
