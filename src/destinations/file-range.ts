import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { BackupError } from '../domain/errors.js';
import { hexOf } from './content-digest.js';

/** Bytes of an open file that are never all in memory: they are read when they are needed, and read again. */
export interface FileRange {
  file: FileHandle;
  /** For messages. */
  path: string;
  offset: number;
  sizeBytes: number;
}

/** In lower-case hex. */
export interface RangeDigests {
  crc32: string;
  sha256: string;
  /** Where it was asked for: it is the slowest of all. */
  md5?: string;
}

export interface DigestRangeInput {
  range: FileRange;
  /** For the bytes on their way; what it holds is of no use afterwards. */
  buffer: Buffer;
  withMd5: boolean;
  /** Is handed each piece too. */
  onPiece: (piece: Buffer) => void;
}

export async function digestRange({ range, buffer, withMd5, onPiece }: DigestRangeInput): Promise<RangeDigests> {
  const sha256 = createHash('sha256');
  const md5 = withMd5 ? createHash('md5') : undefined;
  let crc = 0;
  for (let done = 0; done < range.sizeBytes;) {
    const piece = await readPiece(range, done, buffer);
    sha256.update(piece);
    md5?.update(piece);
    crc = crc32(piece, crc);
    onPiece(piece);
    done += piece.length;
  }
  return { crc32: hexOf(crc), sha256: sha256.digest('hex'), ...(md5 && { md5: md5.digest('hex') }) };
}

/** What is in the range from `done` on, at least one byte and at most a buffer full. Throws `Damaged` where the file ends before. */
export async function readPiece({ file, path, offset, sizeBytes }: FileRange, done: number, buffer: Buffer) {
  const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, sizeBytes - done), offset + done);
  if (bytesRead === 0) throw notAsInManifest(path);
  return buffer.subarray(0, bytesRead);
}

export function notAsInManifest(path: string): BackupError {
  return new BackupError('Damaged', `cannot upload ${path}: because it is not what its manifest says`, {
    hint: 'the local copy is damaged: look at the disk, and restore from another destination',
  });
}
