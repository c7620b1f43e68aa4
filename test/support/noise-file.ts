import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { FileFacts } from '../../src/destinations/destination.js';

/** Writes `sizeBytes` of noise, as compressed bytes look, and returns the file's facts, counted apart from the code under test. */
export async function writeNoise(path: string, sizeBytes: number): Promise<FileFacts> {
  const bytes = randomBytes(sizeBytes);
  await writeFile(path, bytes);
  return factsOf(bytes);
}

export function factsOf(bytes: Uint8Array): FileFacts {
  return {
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    crc32: crc32(bytes).toString(16).padStart(8, '0'),
  };
}
