import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createLocalDestination, type LocalDestination } from '../../src/destinations/local.js';
import { findArtifact, type FindArtifactInput } from '../../src/steps/find-artifact.js';
import { recordVerification } from '../../src/verifications.js';
import { placeArtifact } from '../support/placed-artifact.js';

const [OLD, MIDDLE, NEW] = ['20241101_030000', '20241102_030000', '20241103_030000'] as const;
const MOMENT = '2026-11-24T09:00:00.000Z';
const volume = { kind: 'volume', host: 'default', volume: 'v' } as const;

let here: LocalDestination;
let there: LocalDestination;
let said: string[];

beforeEach(async () => {
  [here, there] = [await newDirectory(), await newDirectory()];
  said = [];
});

async function newDirectory(): Promise<LocalDestination> {
  const root = await mkdtemp(join(tmpdir(), 'find-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return createLocalDestination({ root });
}

async function find(input: Partial<FindArtifactInput> = {}): Promise<string> {
  const log = (line: string) => said.push(line);
  const { destination, entry } = await findArtifact({ target: 'mordor', destinations: [here, there], log, ...input });
  const { run, kind, service } = entry.manifest;
  return [destination === here ? 'here' : 'there', run, kind, service].join(' ');
}

describe('finding the artifact to restore', () => {
  it('takes the newest capture, whatever the ids of runs say', async () => {
    await placeArtifact([here], { target: 'mordor', run: NEW });
    await placeArtifact([here], { target: 'mordor', run: OLD, captureStartedAt: '2024-11-04T00:00:00.000Z' });
    expect(await find()).toBe(`here ${OLD} database middle-earth`);
  });

  it('takes the named run, from the first destination that has it', async () => {
    await placeArtifact([here, there], { target: 'mordor', run: MIDDLE });
    await placeArtifact([there], { target: 'mordor', run: OLD });
    await placeArtifact([there], { target: 'mordor', run: NEW });
    expect(await find({ run: MIDDLE })).toBe(`here ${MIDDLE} database middle-earth`);
    expect(said).toEqual([expect.stringContaining(`mordor: taking run ${MIDDLE} `)]);
    expect(await find({ run: NEW })).toBe(`there ${NEW} database middle-earth`);
    expect(said[1]).toBe(`cannot restore mordor: because there is none of run ${NEW} in ${here.root}; looking further`);
  });

  it('prefers what the target is now to what had its name before', async () => {
    await placeArtifact([here], { target: 'mordor', run: OLD });
    await placeArtifact([here], { target: 'mordor', run: NEW, source: volume });
    expect(await find({ kind: 'database' })).toBe(`here ${OLD} database middle-earth`);
    expect(await find({ kind: 'volume' })).toBe(`here ${NEW} volume middle-earth`);
    expect(await find({ kind: 'database', run: NEW })).toBe(`here ${NEW} volume middle-earth`);
  });

  it('prefers its own service, and takes a stranger only where there is one alone, aloud', async () => {
    await placeArtifact([here], { target: 'mordor', run: OLD });
    await placeArtifact([here], { target: 'mordor', run: NEW, service: 'gondor' });
    expect(await find({ service: 'middle-earth' })).toBe(`here ${OLD} database middle-earth`);
    await expect(find({ service: 'rohan' })).rejects.toMatchObject({ code: 'Conflict' });
    await expect(find()).rejects.toMatchObject({ code: 'Conflict' });
    expect(await find({ service: 'middle-earth', run: NEW })).toBe(`here ${NEW} database gondor`);
    expect(said).toContainEqual(expect.stringContaining('taking one of the service gondor'));
  });

  it('does not pass over a newer one that is damaged, but looks for it elsewhere', async () => {
    await placeArtifact([here], { target: 'mordor', run: OLD });
    const newest = await placeArtifact([here], { target: 'mordor', run: NEW });
    await rm(here.pathOf(`${NEW}/${newest.artifact.name}`));
    await expect(find({ destinations: [here] })).rejects.toMatchObject({ code: 'Damaged' });
    await expect(find({ destinations: [here], run: NEW })).rejects.toMatchObject({ code: 'Damaged' });
    expect(await find({ destinations: [here], run: OLD })).toBe(`here ${OLD} database middle-earth`);
    await placeArtifact([there], { target: 'mordor', run: NEW });
    expect(await find()).toBe(`there ${NEW} database middle-earth`);
  });

  it('takes one that failed its verification only by its run, and only where no destination has a good one', async () => {
    const manifest = await placeArtifact([here], { target: 'mordor', run: NEW });
    await placeArtifact([here], { target: 'mordor', run: OLD });
    const path = `${NEW}/${manifest.artifact.name}`;
    const result = { outcome: 'failed', reason: 'a row is missing', verifiedAt: MOMENT, durationMs: 1 } as const;
    await recordVerification({ destination: here, path, manifest, method: 'drill', result });
    await expect(find()).rejects.toMatchObject({
      code: 'Damaged',
      hint: expect.stringContaining(`--run ${NEW}\``) as string,
    });
    expect(await find({ run: NEW })).toBe(`here ${NEW} database middle-earth`);
    const log = () => undefined;
    expect(await findArtifact({ target: 'mordor', destinations: [here], run: NEW, log })).toMatchObject({
      failure: `it failed its verification at ${MOMENT}: a row is missing`,
      known: [{ manifest: { run: OLD } }],
    });
    await placeArtifact([there], { target: 'mordor', run: NEW });
    expect(await find({ run: NEW })).toBe(`there ${NEW} database middle-earth`);
  });

  it('takes none that failed while another destination does not answer', async () => {
    const manifest = await placeArtifact([here], { target: 'mordor', run: NEW });
    const path = `${NEW}/${manifest.artifact.name}`;
    const result = { outcome: 'failed', reason: 'a row is missing', verifiedAt: MOMENT, durationMs: 1 } as const;
    await recordVerification({ destination: here, path, manifest, method: 'drill', result });
    await rm(there.root, { recursive: true });
    await expect(find({ run: NEW })).rejects.toMatchObject({ code: 'Damaged' });
  });

  it('is sure that there is none only where every destination answered', async () => {
    await expect(find()).rejects.toMatchObject({ code: 'NotFound', hint: expect.any(String) as string });
    await rm(here.root, { recursive: true });
    await expect(find()).rejects.toMatchObject({
      code: 'Failed',
      message: expect.stringContaining(here.root) as string,
    });
    await placeArtifact([there], { target: 'mordor', run: OLD });
    expect(await find()).toBe(`there ${OLD} database middle-earth`);
  });
});
