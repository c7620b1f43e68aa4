import { appendFile, mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestFile, digestHandle } from '../../src/pipeline/digest.js';
import { Growth } from '../../src/pipeline/growth.js';
import { factsOf, writeNoise } from '../support/noise-file.js';

async function scratchFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'digest-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return join(directory, 'file');
}

test('known answers', async () => {
  const path = await scratchFile();
  await writeFile(path, '123456789');
  expect(await digestFile(path)).toEqual({
    sizeBytes: 9,
    sha256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
    crc32: 'cbf43926',
  });
  await writeFile(path, '');
  expect(await digestFile(path)).toMatchObject({ sizeBytes: 0, crc32: '00000000' });
});

test.each([1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_001])('a file of %i bytes', async (sizeBytes) => {
  const path = await scratchFile();
  const facts = await writeNoise(path, sizeBytes);
  const told: number[] = [];
  expect(await digestFile(path, { onProgress: (bytes) => told.push(bytes) })).toEqual(facts);
  expect(told.at(-1)).toBe(sizeBytes);
  expect(told).toHaveLength(Math.ceil(sizeBytes / (1024 * 1024)));
});

test('an abort ends it', async () => {
  const path = await scratchFile();
  await writeNoise(path, 5_000_000);
  const stop = new AbortController();
  const digest = digestFile(path, { signal: stop.signal, onProgress: () => stop.abort() });
  await expect(digest).rejects.toMatchObject({ code: 'Cancelled' });
});

test('what is written to a growing file between a read that found nothing and its end is not missed', async () => {
  const path = await scratchFile();
  await writeFile(path, '');
  const growth = new Growth();
  const file = await open(path, 'r');
  onTestFinished(() => file.close());
  /** The writer has its last word right after the read. */
  const read = async (...args: [Buffer, number, number, number]) => {
    const result = await file.read(...args);
    if (!growth.hasEnded) await appendFile(path, 'last');
    growth.end();
    return result;
  };
  const facts = await digestHandle({ read } as unknown as FileHandle, { growth });
  expect(facts).toEqual(factsOf(Buffer.from('last')));
});
