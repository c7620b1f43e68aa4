import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { FileFacts } from '../destinations/destination.js';
import { throwIfAborted } from './abort.js';
import type { Growth } from './growth.js';

export interface DigestOptions {
  signal?: AbortSignal | undefined;
  /** Told after each piece, with all bytes read so far. */
  onProgress?: ((bytesDone: number) => void) | undefined;
  /** Is handed each piece too, and read from again once it resolves: the bytes that were used are those that were hashed. */
  sink?: ((piece: Buffer) => Promise<void>) | undefined;
  /** Of a file that is still being written: its end is where nothing more comes. */
  growth?: Growth | undefined;
}

const PIECE_BYTES = 1024 * 1024;

/** Reads the file once, in memory of a few MiB. Errors are those of the file system, or the signal's. */
export async function digestFile(path: string, options: DigestOptions = {}): Promise<FileFacts> {
  const file = await open(path, 'r');
  try {
    return await digestHandle(file, options);
  } finally {
    await file.close();
  }
}

/** The same from an open file, from its start, whatever its position is. */
export async function digestHandle(file: FileHandle, options: DigestOptions = {}): Promise<FileFacts> {
  const { signal, onProgress, sink, growth } = options;
  const hash = createHash('sha256');
  let checksum = 0;
  let sizeBytes = 0;
  // Two buffers: the next piece is on its way while this one is hashed.
  let [buffer, spare] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
  let reading = readPiece(file, buffer, 0, growth);
  for (;;) {
    const bytesRead = await reading;
    throwIfAborted(signal);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    sizeBytes += bytesRead;
    reading = readPiece(file, spare, sizeBytes, growth);
    reading.catch(() => undefined); // awaited in the next round, unless this one throws first
    hash.update(piece);
    checksum = crc32(piece, checksum);
    await sink?.(piece);
    onProgress?.(sizeBytes);
    [buffer, spare] = [spare, buffer];
  }
  return { sizeBytes, sha256: hash.digest('hex'), crc32: checksum.toString(16).padStart(8, '0') };
}

/** A whole piece, less only at the end. */
async function readPiece(file: FileHandle, buffer: Buffer, position: number, growth?: Growth): Promise<number> {
  for (;;) {
    const isWhole = growth?.hasEnded ?? true; // asked before: what was written since may have been missed
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, position);
    if (isWhole || bytesRead === PIECE_BYTES) return bytesRead;
    await growth?.pause();
  }
}
