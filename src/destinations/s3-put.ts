import { BackupError } from '../domain/errors.js';
import type { FileFacts, StoredProof, TransferOptions } from './destination.js';
import type { S3Bucket } from './s3-bucket.js';
import { isAnswer } from './s3-errors.js';
import { statObject } from './s3-list.js';
import { partSizeOf } from './s3-parts.js';
import { proveObject } from './s3-proof.js';
import { uploadFile } from './s3-upload.js';
import { abortOpenUpload, listUploadsOf } from './s3-uploads.js';

/** How often an upload that vanished or was overtaken is begun anew. */
const MAX_STARTS = 4;

export interface PutInput {
  bucket: S3Bucket;
  path: string;
  from: string;
  facts: FileFacts;
  partSizeBytes: number | undefined;
  options: TransferOptions;
}

/** Looks what is there, uploads where nothing is, and proves what is there then, whoever brought it. */
export async function putS3File(input: PutInput): Promise<StoredProof> {
  const { bucket, path, from, facts, options } = input;
  const key = bucket.keyOf(path);
  const partSizeBytes = input.partSizeBytes ?? partSizeOf(facts.sizeBytes);
  // A listing tells what HEAD does not: a missing bucket (which some stores make on the first write), why it is refused.
  let mayBeThere = (await statObject(bucket, path, options.signal)) !== undefined;
  let uploaded = false;
  for (let starts = 0; starts < MAX_STARTS; starts++) {
    const proof = mayBeThere ? await proveObject({ bucket, key, facts, options }) : 'absent';
    if (proof === 'different') throw uploaded ? storedDamaged(bucket.urlOf(path)) : taken(bucket.urlOf(path));
    if (proof !== 'absent') {
      if (facts.sizeBytes > partSizeBytes) await dropUploads(bucket, key);
      options.onProgress(facts.sizeBytes);
      return proof;
    }
    mayBeThere = true;
    try {
      await uploadFile({ bucket, key, from, facts, partSizeBytes, options });
      uploaded = true;
    } catch (error) {
      // Another attempt finished, or the upload was swept: the next look tells which.
      if (!isAnswer(error, 'NoSuchUpload', 'PreconditionFailed', 'ConditionalRequestConflict')) throw error;
    }
  }
  throw new BackupError(
    'Failed',
    `cannot upload ${from}: because its upload to ${bucket.urlOf(path)} vanishes again and again`,
  );
}

/**
 * Once the object is there, no upload of it can be completed any more: those left by other attempts are only a cost, and
 * not worth failing for. What is not to be had now is swept later.
 */
async function dropUploads(bucket: S3Bucket, key: string): Promise<void> {
  const uploads = await listUploadsOf(bucket, key).catch(() => []);
  await Promise.allSettled(uploads.map((upload) => abortOpenUpload(bucket, upload)));
}

function taken(url: string): BackupError {
  return new BackupError('Conflict', `cannot write ${url}: because another object has this name`, {
    hint: 'move that object away; it is never replaced',
    retryable: false,
  });
}

function storedDamaged(url: string): BackupError {
  return new BackupError('Damaged', `cannot trust ${url}: because the store has other bytes than were sent`, {
    hint: 'remove that object, and look for what is wrong with the store',
  });
}
