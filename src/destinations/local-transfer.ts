import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { BackupError } from '../domain/errors.js';
import { abortError } from '../pipeline/abort.js';
import { assertFacts, ContentDigest } from './content-digest.js';
import type { FileFacts, TransferOptions } from './destination.js';
import { codeOf, localError } from './local-errors.js';

const CHUNK_BYTES = 1024 * 1024;

export interface ReceiveInput extends TransferOptions {
  chunks: AsyncIterable<Uint8Array>;
  /** A new local file. */
  to: string;
  /** For messages: where the chunks come from. */
  from: string;
  facts: FileFacts;
}

/** Writes a new file (0600), durable and with the given facts; otherwise there is no file and an error. */
export async function receiveFile({ chunks, to, from, facts, signal, onProgress }: ReceiveInput): Promise<void> {
  const file = await openNew(to);
  const digest = new ContentDigest();
  try {
    await pipeline(
      chunks,
      async (passing: AsyncIterable<Uint8Array>) => {
        for await (const chunk of passing) {
          digest.update(chunk);
          await file.appendFile(chunk);
          onProgress(digest.sizeBytes);
        }
      },
      { signal },
    );
    assertFacts(from, digest.facts(), facts);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(to, { force: true });
    throw signal.aborted ? abortError(signal) : localError(`write ${to}`, error);
  }
}

async function openNew(path: string) {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      throw new BackupError('Conflict', `cannot write ${path}: because it is there already`);
    throw localError(`write ${path}`, error);
  }
}

/** The bytes of a local file. */
export function readChunks(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>;
}
