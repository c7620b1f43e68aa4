import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { hexOf } from './content-digest.js';
import type { FileFacts } from './destination.js';
import { digestRange, notAsInManifest, type FileRange, type RangeDigests } from './file-range.js';

const MIN_PART_BYTES = 16 * 1024 * 1024;
/** S3 allows 10,000; some room is left. */
const MAX_PARTS = 9_000;
const PIECE_BYTES = 1024 * 1024;

/** The size of all parts but the last, the same for every attempt at a file of this size. */
export function partSizeOf(sizeBytes: number): number {
  return Math.max(MIN_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS));
}

export interface LocalPart extends RangeDigests {
  /** From 1. */
  number: number;
  range: FileRange;
}

export interface ReadPartsInput {
  file: FileHandle;
  /** For messages. */
  path: string;
  facts: FileFacts;
  partSizeBytes: number;
  /** Whether its MD5 is wanted too. */
  withMd5: (part: Pick<LocalPart, 'number' | 'range'>) => boolean;
}

/**
 * The parts of a local file, in order, each read once for its digests: their bytes are then in the system's cache, and only there. Throws
 * `Damaged` after the last one where the file's size or CRC-32 is not that of its facts; whoever asks several times at once is served in
 * order too.
 */
export async function* readParts(input: ReadPartsInput): AsyncGenerator<LocalPart, void, void> {
  const { file, path, facts, partSizeBytes, withMd5 } = input;
  const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, facts.sizeBytes));
  let crc = 0;
  const onPiece = (piece: Buffer) => void (crc = crc32(piece, crc));
  for (let number = 1, offset = 0; offset < facts.sizeBytes; number++, offset += partSizeBytes) {
    const range = { file, path, offset, sizeBytes: Math.min(partSizeBytes, facts.sizeBytes - offset) };
    const digests = await digestRange({ range, buffer, withMd5: withMd5({ number, range }), onPiece });
    yield { number, range, ...digests };
  }
  if (hexOf(crc) !== facts.crc32 || (await file.stat()).size !== facts.sizeBytes) throw notAsInManifest(path);
}
