import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { BackupError } from '../domain/errors.js';
import { partName } from '../domain/names.js';
import { digestFile } from '../pipeline/digest.js';
import { assertFacts } from './content-digest.js';
import type { FileFacts, StoredProof, TransferOptions } from './destination.js';
import { isThere } from './local-files.js';
import { publish, removeParts } from './local-publish.js';
import { readChunks, receiveFile } from './local-transfer.js';

export interface PutInput {
  final: string;
  from: string;
  facts: FileFacts;
  options: TransferOptions;
}

/** Starts from nothing where an earlier attempt was cut off: a copy from disk to disk is not worth more. */
export async function putLocalFile({ final, from, facts, options }: PutInput): Promise<StoredProof> {
  if (!(await isThere(final))) {
    const part = partName(final, randomBytes(6).toString('hex'));
    try {
      await receiveFile({ chunks: readChunks(from), to: part, from, facts, ...options });
      assertFacts(part, await digestFile(part, options), facts);
      if ((await publish({ part, final })) === 'published') return 'read-back';
    } finally {
      await rm(part, { force: true });
      if (await isThere(final)) await removeParts(final);
    }
  }
  await assertSame(final, facts, options);
  return 'read-back';
}

async function assertSame(final: string, facts: FileFacts, options: TransferOptions): Promise<void> {
  const there = await digestFile(final, options);
  if (there.sizeBytes === facts.sizeBytes && there.sha256 === facts.sha256) return;
  throw new BackupError('Conflict', `cannot write ${final}: because another file has this name`, {
    hint: 'move that file away; it is never replaced',
    retryable: false,
  });
}
