import { describe, expect, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { Destination } from '../../src/destinations/destination.js';
import { BackupError } from '../../src/domain/errors.js';
import { inRun, manifestName } from '../../src/domain/names.js';
import { pinName } from '../../src/domain/pin.js';
import { planPrune, type PrunePlan } from '../../src/domain/retention.js';
import { REMOVAL_SUFFIX } from '../../src/removal.js';
import type { Runtime } from '../../src/runtime.js';
import { pinArtifacts, unpinArtifacts } from '../../src/steps/pin.js';
import { applyPrune } from '../../src/steps/prune.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { EACH_PLACE, ownLocal } from '../support/places.js';

const SERVICE = 'middle-earth';
const [OLDEST, OLD, NEW] = ['20261122_030000', '20261123_030000', '20261124_030000'];
const PIN = { note: 'before 2.0', pinnedAt: '2026-11-24T09:00:00.000Z', pinnedBy: 'sam' };

function runtimeOf(...destinations: Destination[]): Runtime {
  return { destinations, config: { backup: { service: SERVICE }, host: 'default' } } as unknown as Runtime;
}

async function plan(destination: Destination): Promise<PrunePlan> {
  const { entries } = await createCatalog(destination).list();
  const source = { kind: 'database' as const, systemIdentifier: '7400000000000000001', database: 'mordor' };
  const lines = [{ target: 'mordor', kind: 'database' as const, source, retentionCount: 1, broughtCount: 1 }];
  return planPrune({ service: SERVICE, now: new Date('2026-11-25T04:00:00Z'), entries, lines });
}

async function apply(destination: Destination, planned: PrunePlan): Promise<string[]> {
  const logged: string[] = [];
  const log = (line: string) => void logged.push(line);
  await applyPrune({ destination, plan: planned, service: SERVICE, host: 'default', log });
  return logged;
}

const runsIn = async (destination: Destination) =>
  (await createCatalog(destination).list()).entries.map(({ manifest }) => manifest.run);

describe.each(EACH_PLACE)('a pin in $place', ({ own }) => {
  async function filled(): Promise<Destination> {
    const destination = await own();
    for (const run of [OLDEST, OLD, NEW]) await placeArtifact([destination], { target: 'mordor', run });
    return destination;
  }

  test('holds its artifact, is told as the reason, and is not counted', async () => {
    const destination = await filled();
    const runtime = runtimeOf(destination);
    const { artifacts } = await pinArtifacts(runtime, { run: NEW, pin: PIN });
    expect(artifacts.map(({ state, entry }) => `${entry.manifest.run} ${state}`)).toEqual([`${NEW} pinned`]);
    expect((await createCatalog(destination).list()).entries[0]?.pin).toEqual(PIN);
    const { keep, remove } = await plan(destination);
    expect(keep.map(({ entry, reason }) => `${entry.manifest.run} ${reason}`).sort()).toEqual([
      `${OLD} 1 of the 1 newest`,
      `${NEW} pinned: before 2.0`,
    ]);
    expect(remove.map(({ entry }) => entry.manifest.run)).toEqual([OLDEST]);
  });

  test('stays what it was when it is set again, and goes when it is taken away', async () => {
    const destination = await filled();
    const runtime = runtimeOf(destination);
    await pinArtifacts(runtime, { run: OLD, target: 'mordor', pin: PIN });
    const again = await pinArtifacts(runtime, { run: OLD, pin: { note: 'another' } });
    expect(again.artifacts.map(({ state }) => state)).toEqual(['already pinned']);
    expect((await createCatalog(destination).list({ run: OLD })).entries[0]?.pin?.note).toBe('before 2.0');
    for (const state of ['unpinned', 'not pinned']) {
      expect((await unpinArtifacts(runtime, { run: OLD })).artifacts[0]?.state).toBe(state);
    }
    await apply(destination, await plan(destination));
    expect(await runsIn(destination)).toEqual([NEW]);
  });

  test('is of one target where one is named, and of this service alone', async () => {
    const destination = await filled();
    await placeArtifact([destination], { target: 'gondor', run: OLD });
    await placeArtifact([destination], { target: 'shire', run: OLD, service: 'another' });
    const runtime = runtimeOf(destination);
    const pinned = async (target?: string) =>
      (await pinArtifacts(runtime, { run: OLD, pin: PIN, ...(target !== undefined && { target }) })).artifacts.map(
        ({ entry }) => entry.manifest.target,
      );
    expect(await pinned('gondor')).toEqual(['gondor']);
    expect((await pinned()).sort()).toEqual(['gondor', 'mordor']);
    expect(await pinned('rohan')).toEqual([]);
  });

  test('holds when its file is empty, and shows no text that a terminal would obey', async () => {
    const destination = await filled();
    const path = async (run: string) =>
      (await createCatalog(destination).list({ run })).entries.map((entry) => entry.path)[0] ?? '';
    await destination.createText(pinName(await path(OLD)), '');
    await destination.createText(pinName(await path(OLDEST)), JSON.stringify({ note: 'a\u001b[2J' }));
    const { keep, remove } = await plan(destination);
    expect(keep.map(({ reason }) => reason).sort()).toEqual(['1 of the 1 newest', 'pinned', 'pinned']);
    expect(remove).toEqual([]);
  });

  test('that comes while a prune is going on keeps what that was about to remove', async () => {
    const destination = await filled();
    const planned = await plan(destination);
    await pinArtifacts(runtimeOf(destination), { run: OLD, pin: PIN });
    const logged = await apply(destination, planned);
    expect(logged).toContainEqual(expect.stringMatching(/was pinned meanwhile, and stays$/));
    expect(await runsIn(destination)).toEqual([NEW, OLD]);
    expect((await destination.list()).filter(({ path }) => path.endsWith(REMOVAL_SUFFIX))).toEqual([]);
  });

  test('is not promised where a removal has been noted, and leaves nothing where that was faster', async () => {
    const destination = await filled();
    const [entry] = (await createCatalog(destination).list({ run: OLD })).entries;
    if (entry === undefined) throw new Error('it is not there');
    await destination.createText(entry.path + REMOVAL_SUFFIX, '');
    const runtime = runtimeOf(destination);
    expect((await pinArtifacts(runtime, { run: OLD, pin: PIN })).artifacts.map(({ state }) => state)).toEqual([
      'unsure',
    ]);
    await unpinArtifacts(runtime, { run: OLD });

    const vanishing = new Proxy(destination, {
      get(target, name, receiver): unknown {
        if (name !== 'stat') return Reflect.get(target, name, receiver);
        return async (path: string) => {
          await target.remove(manifestName(entry.path));
          return target.stat(path);
        };
      },
    });
    expect((await pinArtifacts(runtimeOf(vanishing), { run: OLD, pin: PIN })).artifacts).toEqual([]);
    expect(await destination.stat(pinName(inRun(OLD, entry.manifest.artifact.name)))).toBeUndefined();
  });
});

test('a pin is set where it can be, and the others are named', async () => {
  const here = await ownLocal();
  await placeArtifact([here], { target: 'mordor', run: OLD });
  const away = new BackupError('ServerUnreachable', 'cannot list: because it is away');
  const there = { kind: 's3', location: 's3://away', list: () => Promise.reject(away) } as unknown as Destination;
  const { artifacts, unreachable } = await pinArtifacts(runtimeOf(there, here), { run: OLD, pin: PIN });
  expect(artifacts.map(({ destination, state }) => [destination, state])).toEqual([[here, 'pinned']]);
  expect(unreachable).toEqual([{ destination: there, error: away }]);
});
