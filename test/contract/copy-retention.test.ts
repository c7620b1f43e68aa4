import { expect, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { Destination } from '../../src/destinations/destination.js';
import type { LocalDestination } from '../../src/destinations/local.js';
import type { RetentionRules } from '../../src/domain/retention-rules.js';
import type { CopyResult } from '../../src/domain/steps.js';
import { writePin } from '../../src/pins.js';
import type { Runtime } from '../../src/runtime.js';
import { copyArtifact } from '../../src/steps/copy.js';
import { aTarget } from '../support/a-plan.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { ownLocal } from '../support/places.js';

const runOf = (day: string) => `202611${day}_030000`;

/** The copy step of the run of the 24th, between two directories. */
async function copy(
  { local, shared }: { local: LocalDestination; shared: Destination },
  retention: Omit<RetentionRules, 'timezone'>,
): Promise<CopyResult> {
  const runtime = { local, destination: () => shared } as unknown as Runtime;
  const target = { ...aTarget('mordor'), retention: { ...retention, timezone: 'UTC' } };
  const [own] = (await createCatalog(local).list({ run: runOf('24') })).entries;
  if (own === undefined) throw new Error('the run left nothing');
  const { source, artifact } = own.manifest;
  const input = { service: 'middle-earth', run: runOf('24'), target, source, artifact: artifact.name };
  const times = { stallTimeoutMs: 60_000, retryForMs: 60_000, deadlineAt: '2999-01-01T00:00:00.000Z' };
  const step = { signal: new AbortController().signal, onProgress: () => undefined, log: () => undefined };
  return copyArtifact(runtime, { ...input, ...times, destination: 's3' }, { ...step, isCancelled: () => false });
}

const daysIn = async (destination: Destination) =>
  (await createCatalog(destination).list()).entries.map(
    ({ manifest, pin }) => manifest.run.slice(6, 8) + (pin === undefined ? '' : ' pinned'),
  );

async function places(...days: string[]) {
  const [local, shared] = [await ownLocal(), await ownLocal()];
  for (const day of days) await placeArtifact([local], { target: 'mordor', run: runOf(day) });
  return { local, shared };
}

test('a copy brings what retention holds, by all of its rules, and nothing that it would remove at once', async () => {
  // The 24th is a Tuesday; the 14th and the 22nd are the last ones of the two weeks before.
  const at = await places('13', '14', '20', '22', '23', '24');
  expect(await copy(at, { count: 2, weekly: 3 })).toEqual({ broughtCount: 4 });
  expect(await daysIn(at.shared)).toEqual(['24', '23', '22', '14']);
});

test('a copy brings its own artifact also where a clock was set back and retention does not hold it', async () => {
  const at = await places('24', '25', '26');
  await copy(at, { count: 1 });
  expect(await daysIn(at.shared)).toEqual(['26', '24']);
});

test('a pin goes with its copy, and follows one that came before it', async () => {
  const at = await places('10', '23', '24');
  await copy(at, { count: 2 });
  expect(await daysIn(at.shared)).toEqual(['24', '23']);
  for (const { path } of (await createCatalog(at.local).list()).entries.slice(1)) await writePin(at.local, path, {});
  expect(await copy(at, { count: 1 })).toEqual({ broughtCount: 2 });
  expect(await daysIn(at.shared)).toEqual(['24', '23 pinned', '10 pinned']);
});
