import { expect, describe, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import { inRun } from '../../src/domain/names.js';
import { VERIFICATION_FORMAT, verificationName, type Verification } from '../../src/domain/verification.js';
import { writeVerification } from '../../src/verifications.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { EACH_PLACE } from '../support/places.js';

const RUN = '20261124_030000';

describe.each(EACH_PLACE)('a verification in $place', ({ own }) => {
  async function placed() {
    const destination = await own();
    const { artifact } = await placeArtifact([destination], { target: 'mordor', run: RUN });
    const path = inRun(RUN, artifact.name);
    const found: Verification = {
      ...{ format: VERIFICATION_FORMAT, artifact: artifact.name, sha256: artifact.sha256 },
      ...{ method: 'read', outcome: 'failed', reason: 'it has rotted', verifiedAt: '2026-11-25T03:00:00.000Z' },
      durationMs: 1,
    };
    const known = async () => (await createCatalog(destination).list()).entries[0]?.verification;
    return { destination, path, found, known };
  }

  test('is shown with its artifact, the last one there is', async () => {
    const { destination, path, found, known } = await placed();
    expect(await known()).toBeUndefined();
    await writeVerification(destination, path, found);
    expect(await known()).toEqual(found);
    const { reason: _reason, ...good } = { ...found, outcome: 'verified' as const };
    await writeVerification(destination, path, good);
    expect(await known()).toEqual(good);
  });

  test('says nothing about other bytes', async () => {
    const { destination, path, found, known } = await placed();
    await writeVerification(destination, path, { ...found, sha256: 'a'.repeat(64) });
    expect(await known()).toBeUndefined();
    await writeVerification(destination, path, { ...found, artifact: 'gondor.sql.gz' });
    expect(await known()).toBeUndefined();
  });

  test('that cannot be read hides no artifact', async () => {
    const { destination, path, known } = await placed();
    await destination.createText(verificationName(path), '{ "format"');
    expect(await known()).toBeUndefined();
    expect((await createCatalog(destination).list()).entries).toHaveLength(1);
  });
});
