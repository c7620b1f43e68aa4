import { HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { ContentDigest } from './content-digest.js';
import type { FileFacts, StoredProof, TransferOptions } from './destination.js';
import { crc32ToHex, type S3Bucket } from './s3-bucket.js';
import { readObject } from './s3-download.js';
import { isAnswer } from './s3-errors.js';

export interface ProofInput {
  bucket: S3Bucket;
  key: string;
  facts: FileFacts;
  options: TransferOptions;
}

/**
 * Whether the object at `key` has the facts: by the store's checksum over all of it, where it keeps one and the object
 * says that it was made from these bytes; else by reading it back.
 */
export async function proveObject(input: ProofInput): Promise<StoredProof | 'different' | 'absent'> {
  const { facts } = input;
  const head = await headObject(input);
  if (head === undefined) return 'absent';
  if (head.ContentLength !== facts.sizeBytes) return 'different';
  const crc32 = wholeCrc32(head);
  if (crc32 !== undefined && crc32 !== facts.crc32) return 'different';
  if (crc32 !== undefined && head.Metadata?.['sha256'] === facts.sha256) return 'checksum';
  return (await sha256OfObject(input)) === facts.sha256 ? 'read-back' : 'different';
}

async function headObject({ bucket, key, options }: ProofInput): Promise<HeadObjectCommandOutput | undefined> {
  const command = new HeadObjectCommand({ Bucket: bucket.name, Key: key, ChecksumMode: 'ENABLED' });
  try {
    return await bucket.client.send(command, { abortSignal: options.signal });
  } catch (error) {
    if (isAnswer(error, 'NotFound', 'NoSuchKey')) return undefined;
    throw error;
  }
}

/** A checksum of checksums (`…-3`) says nothing about the bytes. */
function wholeCrc32({ ChecksumCRC32: crc32, ChecksumType: type }: HeadObjectCommandOutput): string | undefined {
  if (crc32 === undefined || crc32.includes('-') || type === 'COMPOSITE') return undefined;
  return crc32ToHex(crc32);
}

async function sha256OfObject({ bucket, key, options }: ProofInput): Promise<string> {
  const digest = new ContentDigest();
  for await (const chunk of readObject({ bucket, key, signal: options.signal })) {
    digest.update(chunk);
    options.onProgress(digest.sizeBytes);
  }
  return digest.facts().sha256;
}
