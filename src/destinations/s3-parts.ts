import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { BackupError } from '../domain/errors.js';
import { hexOf } from './content-digest.js';
import type { FileFacts } from './destination.js';

const MIN_PART_BYTES = 16 * 1024 * 1024;
/** S3 allows 10,000; some room is left. */
const MAX_PARTS = 9_000;

/** The size of all parts but the last, the same for every attempt at a file of this size. */
export function partSizeOf(sizeBytes: number): number {
  return Math.max(MIN_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS));
}

export interface LocalPart {
  /** From 1. */
  number: number;
  bytes: Buffer;
}

export interface ReadPartsInput {
  file: FileHandle;
  /** For messages. */
  path: string;
  facts: FileFacts;
  partSizeBytes: number;
}

/**
 * The parts of a local file, in order. Throws `Damaged` after the last one where the file's size or CRC-32 is not that
 * of its facts; whoever asks several times at once is served in order too.
 */
export async function* readParts({
  file,
  path,
  facts,
  partSizeBytes,
}: ReadPartsInput): AsyncGenerator<LocalPart, void, void> {
  let crc = 0;
  for (let number = 1, offset = 0; offset < facts.sizeBytes; number++, offset += partSizeBytes) {
    const bytes = Buffer.allocUnsafe(Math.min(partSizeBytes, facts.sizeBytes - offset));
    await readFully(file, bytes, offset, path);
    crc = crc32(bytes, crc);
    yield { number, bytes };
  }
  if (hexOf(crc) !== facts.crc32 || (await file.stat()).size !== facts.sizeBytes) throw changed(path);
}

async function readFully(file: FileHandle, bytes: Buffer, offset: number, path: string): Promise<void> {
  for (let filled = 0; filled < bytes.length;) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled);
    if (bytesRead === 0) throw changed(path);
    filled += bytesRead;
  }
}

function changed(path: string): BackupError {
  return new BackupError('Damaged', `cannot upload ${path}: because it is not what its manifest says`, {
    hint: 'the local copy is damaged: look at the disk, and restore from another destination',
  });
}
