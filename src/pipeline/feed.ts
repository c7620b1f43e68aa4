import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { FileFacts } from '../destinations/destination.js';
import { digestHandle, type DigestOptions } from './digest.js';

/** The pipeline that is written to reads no more. */
export class ReaderGone extends Error {}

export interface FeedOptions extends Pick<DigestOptions, 'signal' | 'onProgress' | 'growth'> {
  /** The reader knows where its input ends, and need not see that: pg_restore. The facts are those of the whole file then. */
  mayEndEarly?: boolean;
}

/**
 * Writes the file to a pipeline's stdin, ends that, and returns the facts of the bytes written; undefined where the
 * pipeline stopped reading before the end. Only `finished` says whether it did so in peace.
 */
export async function feedFile(
  file: FileHandle,
  stdin: Writable,
  { mayEndEarly = false, ...options }: FeedOptions,
): Promise<FileFacts | undefined> {
  let isGone = false;
  const sink = async (piece: Buffer) => {
    if (isGone) return;
    await writePiece(stdin, piece).catch((error: unknown) => {
      isGone = mayEndEarly && error instanceof ReaderGone;
      if (!isGone) throw error;
    });
  };
  try {
    const facts = await digestHandle(file, { ...options, sink });
    // A reader that has exited destroyed it, and then `end` would never call back.
    if (stdin.destroyed) return mayEndEarly ? facts : undefined;
    await new Promise<void>((resolve) => stdin.end(resolve));
    return facts;
  } catch (error) {
    if (error instanceof ReaderGone) return undefined;
    throw error;
  } finally {
    stdin.destroy(); // after an error the pipeline must still learn that no more will come
  }
}

/** Resolves once the bytes are handed over, so that their buffer is free again; else ReaderGone. */
export function writePiece(stdin: Writable, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stdin.write(piece, (error) => {
      if (error) reject(new ReaderGone('the pipeline reads no more', { cause: error }));
      else resolve();
    });
  });
}
