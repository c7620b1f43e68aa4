import { rename, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import { establishIdentity } from '../../src/directory-identity.js';
import { inRun } from '../../src/domain/names.js';
import type { Runtime } from '../../src/runtime.js';
import { pullArtifacts } from '../../src/steps/pull.js';
import { recordVerification } from '../../src/verifications.js';
import { aManifest } from '../support/manifest.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { ownLocal } from '../support/places.js';

const RUNS = { good: '20261124_030000', failed: '20261125_030000', ofAnotherHost: '20261126_030000' };
const MOMENT = '2026-11-28T00:00:00.000Z';
const OF_ANOTHER_SERVICE = '20261127_030000';

/** A lost directory, and what another destination holds, of which the artifact of one run failed its verification. */
async function afterLoss() {
  const [local, shared] = [await ownLocal(), await ownLocal()];
  await establishIdentity({ root: local.root, service: 'middle-earth', initialise: true });
  await placeArtifact([shared], { target: 'mordor', run: RUNS.good });
  const manifest = await placeArtifact([shared], { target: 'mordor', run: RUNS.failed });
  await placeArtifact([shared], { target: 'mordor', run: RUNS.ofAnotherHost, host: 'north' });
  await placeArtifact([shared], { target: 'mordor', run: OF_ANOTHER_SERVICE, service: 'narnia' });
  const path = inRun(RUNS.failed, manifest.artifact.name);
  const verify = (outcome: 'failed' | 'verified') => {
    const result = { outcome, reason: 'it has rotted', verifiedAt: '2026-11-28T00:00:00.000Z', durationMs: 1 };
    return recordVerification({ destination: shared, path, manifest, method: 'read', result });
  };
  await verify('failed');
  return { local, shared, verify };
}

/** The runs that a pull brought to a host, and what it said. */
async function pull({ local, shared }: Awaited<ReturnType<typeof afterLoss>>, host = 'default') {
  const said: string[] = [];
  const step = {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    log: (line: string) => said.push(line),
  };
  const runtime = { local, config: { host } } as unknown as Runtime;
  const { pulled, refused } = await pullArtifacts(runtime, { from: shared, onPulled: () => undefined }, step);
  const here = (await createCatalog(local).list()).entries.map(({ manifest }) => manifest.run);
  return {
    pulled: pulled.map(({ manifest }) => manifest.run),
    refused: refused.map(({ reason }) => reason),
    here,
    said: said.join('\n'),
  };
}

test('a pull passes over what failed its verification and says so, until it verifies again', async () => {
  const at = await afterLoss();
  const { pulled, here, said } = await pull(at);
  expect([pulled, here]).toEqual([[RUNS.good], [RUNS.good]]);
  expect(said).toMatch(
    new RegExp(`passing over .*/${RUNS.failed}/mordor_.*: it failed its verification at .*: it has rotted`),
  );
  expect(said).not.toContain(RUNS.ofAnotherHost);
  await at.verify('verified');
  expect(await pull(at)).toMatchObject({ pulled: [RUNS.failed], here: [RUNS.failed, RUNS.good] });
});

test("a pull leaves artifacts of other hosts to these, and another service's to nobody here", async () => {
  const at = await afterLoss();
  expect(await pull(at, 'north')).toMatchObject({ pulled: [RUNS.ofAnotherHost], here: [RUNS.ofAnotherHost] });
});

test('a pull brings bytes back whose manifest stayed, and what was known of the lost ones goes', async () => {
  const at = await afterLoss();
  await pull(at);
  const [entry] = (await createCatalog(at.local).list()).entries;
  const { path = '', manifest = aManifest() } = entry ?? {};
  const rotten = { outcome: 'failed', reason: 'it has rotted', verifiedAt: MOMENT, durationMs: 1 } as const;
  await recordVerification({ destination: at.local, path, manifest, method: 'read', result: rotten });
  const { pulled, refused } = await pull(at);
  expect([pulled, refused]).toEqual([[], [expect.stringMatching(/what is here is no good: .*it has rotted/)]]);
  await rename(at.local.pathOf(path), `${at.local.pathOf(path)}.rotten`);
  expect(await pull(at)).toMatchObject({ pulled: [RUNS.good], refused: [] });
  expect((await createCatalog(at.local).list()).entries).toEqual([{ manifest, path, whole: true }]);
});

test('a directory that cannot be written to is told in words', async () => {
  const at = await afterLoss();
  await writeFile(at.local.pathOf(RUNS.good), 'no directory');
  await expect(pull(at)).rejects.toMatchObject({ message: expect.stringMatching(/^cannot .*: because /) as string });
});
