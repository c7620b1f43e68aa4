import { expect, describe, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import { inRun } from '../../src/domain/names.js';
import { verificationName, type VerificationResult } from '../../src/domain/verification.js';
import { recordVerification } from '../../src/verifications.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { EACH_PLACE } from '../support/places.js';

const RUN = '20261124_030000';
const WHOLE: VerificationResult = { outcome: 'verified', verifiedAt: '2026-11-25T03:00:00.000Z', durationMs: 1 };
const ROTTEN: VerificationResult = { ...WHOLE, outcome: 'failed', reason: 'it has rotted' };

describe.each(EACH_PLACE)('a verification in $place', ({ own }) => {
  async function placed() {
    const destination = await own();
    const { artifact } = await placeArtifact([destination], { target: 'mordor', run: RUN });
    const path = inRun(RUN, artifact.name);
    const known = async () => (await createCatalog(destination).list()).entries[0]?.verification;
    const record = (result: VerificationResult, of = artifact) =>
      recordVerification({ destination, path, manifest: { artifact: of }, method: 'read', result });
    return { destination, path, artifact, known, record };
  }

  test('is shown with its artifact, the last one there is', async () => {
    const { known, record } = await placed();
    expect(await known()).toBeUndefined();
    await record(ROTTEN);
    expect((await known())?.results).toEqual({ read: ROTTEN });
    await record(WHOLE);
    expect((await known())?.results).toEqual({ read: WHOLE });
  });

  test('stands beside that of the other method', async () => {
    const { destination, path, artifact, known, record } = await placed();
    await record(WHOLE);
    const drilled = { ...WHOLE, notes: ['a view is written in another way'], restoreMs: 7 };
    await recordVerification({ destination, path, manifest: { artifact }, method: 'drill', result: drilled });
    expect((await known())?.results).toEqual({ read: WHOLE, drill: drilled });
  });

  test('says nothing about other bytes', async () => {
    const { artifact, known, record } = await placed();
    await record(ROTTEN, { ...artifact, sha256: 'a'.repeat(64) });
    expect(await known()).toBeUndefined();
    await record(ROTTEN, { ...artifact, name: 'gondor.sql.gz' });
    expect(await known()).toBeUndefined();
  });

  test('that cannot be read hides no artifact', async () => {
    const { destination, path, known } = await placed();
    await destination.createText(verificationName(path), '{ "format"');
    expect(await known()).toBeUndefined();
    expect((await createCatalog(destination).list()).entries).toHaveLength(1);
  });
});
