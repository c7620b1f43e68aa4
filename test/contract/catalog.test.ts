import { describe, expect, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { Destination } from '../../src/destinations/destination.js';
import { BackupError } from '../../src/domain/errors.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { inRun, manifestName } from '../../src/domain/names.js';
import { sealManifest } from '../../src/manifest-text.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { EACH_PLACE } from '../support/places.js';

const RUNS = ['20261124_030000', '20261125_030000', '20261126_030000'] as const;

const pathOf = ({ run, artifact }: Manifest) => inRun(run, artifact.name);

describe.each(EACH_PLACE)('the catalog of $place', ({ own }) => {
  test('lists what was committed, by the moment of capture and not by name', async () => {
    const destination = await own();
    const moments = ['2026-11-24T03:00:00.500Z', '2026-11-24T02:00:00.500Z', '2026-11-24T03:00:00.400Z'];
    const manifests: Manifest[] = [];
    for (const [index, run] of RUNS.entries()) {
      const captureStartedAt = moments[index] ?? '';
      manifests.push(await placeArtifact([destination], { target: 'mordor', run, captureStartedAt }));
    }
    const { entries, unreadable } = await createCatalog(destination).list();
    expect(entries).toEqual(
      [0, 2, 1].map((index) => {
        const manifest = manifests[index] as Manifest;
        return { manifest, path: pathOf(manifest), whole: true };
      }),
    );
    expect(unreadable).toEqual([]);
  });

  test('finds one target, whatever else begins with its name', async () => {
    const destination = await own();
    const volume = { kind: 'volume', host: 'default', volume: 'x' } as const;
    for (const run of RUNS) {
      await placeArtifact([destination], { target: 'a', run });
      await placeArtifact([destination], { target: 'a_volume', run });
      await placeArtifact([destination], { target: 'a_20261124_030000.b', run });
    }
    await placeArtifact([destination], { target: 'b', run: RUNS[0], source: volume });
    await placeArtifact([destination], { target: 'b', run: RUNS[1] });
    const catalog = createCatalog(destination);
    const found = async (filter: Parameters<typeof catalog.list>[0]) =>
      (await catalog.list(filter)).entries.map(({ manifest: { target, kind, run } }) => [target, kind, run]);

    expect(await found({ target: 'a', kind: 'database' })).toEqual(
      [...RUNS].reverse().map((run) => ['a', 'database', run]),
    );
    expect(await found({ target: 'a', kind: 'volume' })).toEqual([]);
    expect(await found({ target: 'b', kind: 'volume' })).toEqual([['b', 'volume', RUNS[0]]]);
    expect(await found({ target: 'b' })).toHaveLength(2);
    expect(await found({ run: RUNS[2] })).toHaveLength(3);
    expect(await found({ run: RUNS[1], target: 'b' })).toEqual([['b', 'database', RUNS[1]]]);
    expect(await found({})).toHaveLength(11);
  });

  test('tells what it cannot read, and lists the rest', async () => {
    const destination = await own();
    const good = await placeArtifact([destination], { target: 'good', run: RUNS[0] });
    const damaged = await placeArtifact([destination], { target: 'damaged', run: RUNS[0] });
    const path = manifestName(pathOf(damaged));
    await destination.replaceText(path, sealManifest(damaged).replace('"damaged"', '"changed"'));
    const elsewhere = inRun(RUNS[1], manifestName(good.artifact.name));
    await destination.createText(elsewhere, sealManifest(good));
    const misnamed = inRun(RUNS[0], 'other_20261124_030000.sql.gz.manifest.json');
    await destination.createText(misnamed, sealManifest(good));

    const { entries, unreadable } = await createCatalog(destination).list();
    expect(entries.map(({ path: found }) => found)).toEqual([pathOf(good)]);
    expect(unreadable.map(({ path: found }) => found).sort()).toEqual([path, elsewhere, misnamed].sort());
    for (const { reason } of unreadable) expect(reason).toMatch(/^cannot (read|use) the manifest/);
    await expect(createCatalog(destination).get(RUNS[0], damaged.artifact.name)).rejects.toMatchObject({
      code: 'Damaged',
    });
  });

  test('leaves alone what lies elsewhere', async () => {
    const destination = await own();
    for (const path of [
      'x.manifest.json',
      'copies/20261124_030000/x.manifest.json',
      '20261124_030000/old/x.manifest.json',
    ]) {
      await destination.createText(path, 'a stranger');
    }
    expect(await createCatalog(destination).list()).toEqual({ entries: [], unreadable: [] });
  });

  test('counts no artifact that is missing or of another size', async () => {
    const destination = await own();
    const missing = await placeArtifact([destination], { target: 'missing', run: RUNS[0] });
    const cut = await placeArtifact([destination], { target: 'cut', run: RUNS[0] });
    await destination.remove(pathOf(missing));
    await destination.replaceText(pathOf(cut), 'cut');
    const { entries } = await createCatalog(destination).list();
    expect(entries.map(({ whole }) => whole)).toEqual([false, false]);
  });

  test('commits what lies there whole, once', async () => {
    const destination = await own();
    const manifest = await placeArtifact([destination], { target: 'mordor', run: RUNS[0] });
    const catalog = createCatalog(destination);
    await catalog.commit(manifest);
    expect(await catalog.get(manifest.run, manifest.artifact.name)).toEqual(manifest);
    expect(await catalog.get(RUNS[1], manifest.artifact.name)).toBeUndefined();

    const other = { ...manifest, warnings: ['another'] };
    await expect(catalog.commit(other)).rejects.toMatchObject({ code: 'Conflict' });
    expect(await catalog.get(manifest.run, manifest.artifact.name)).toEqual(manifest);
  });

  test('commits nothing that is missing or of another size', async () => {
    const destination = await own();
    const manifest = await placeArtifact([destination], { target: 'mordor', run: RUNS[0] });
    const catalog = createCatalog(destination);
    await destination.remove(manifestName(pathOf(manifest)));
    for (const spoil of [
      () => destination.replaceText(pathOf(manifest), 'other'),
      () => destination.remove(pathOf(manifest)),
    ]) {
      await spoil();
      await expect(catalog.commit(manifest)).rejects.toMatchObject({ code: 'Damaged' });
      expect(await catalog.get(manifest.run, manifest.artifact.name)).toBeUndefined();
    }
  });

  test('does not pass an outage for an empty or unreadable catalog', async () => {
    const destination = await own();
    await placeArtifact([destination], { target: 'mordor', run: RUNS[0] });
    const outage = new BackupError('ServerUnreachable', 'cannot read: because nobody answers');
    const failing: Destination = { ...destination, readText: () => Promise.reject(outage) };
    await expect(createCatalog(failing).list()).rejects.toBe(outage);
  });
});
