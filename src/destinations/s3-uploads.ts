import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, paginateListParts } from '@aws-sdk/client-s3';
import type { S3Bucket } from './s3-bucket.js';
import { isAnswer } from './s3-errors.js';

/** A multipart upload that was begun and neither completed nor aborted. */
export interface OpenUpload {
  key: string;
  id: string;
  startedAt: Date;
}

/** The open uploads of keys that begin with `keyPrefix`, newest first. MinIO shows only those of that very key. */
export async function listUploads(bucket: S3Bucket, keyPrefix: string, signal?: AbortSignal): Promise<OpenUpload[]> {
  const uploads: OpenUpload[] = [];
  let after: { KeyMarker: string | undefined; UploadIdMarker: string | undefined } | undefined;
  for (;;) {
    const command = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: keyPrefix, ...after });
    const page = await bucket.client.send(command, signal && { abortSignal: signal });
    for (const { Key: key, UploadId: id, Initiated: startedAt = new Date(0) } of page.Uploads ?? []) {
      if (key !== undefined && id !== undefined) uploads.push({ key, id, startedAt });
    }
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) break;
    after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
  return uploads.sort((one, other) => other.startedAt.getTime() - one.startedAt.getTime());
}

/** The open uploads of one key, newest first. */
export async function listUploadsOf(bucket: S3Bucket, key: string, signal?: AbortSignal): Promise<OpenUpload[]> {
  return (await listUploads(bucket, key, signal)).filter((upload) => upload.key === key);
}

/** An upload that is gone is no error. */
export async function abortOpenUpload(bucket: S3Bucket, { key, id }: OpenUpload): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: id });
  await bucket.client.send(command).catch((error: unknown) => {
    if (!isAnswer(error, 'NoSuchUpload')) throw error;
  });
}

export interface StoredPart {
  sizeBytes: number;
  /** Without quotes: the MD5 in hex, where the store does not encrypt with a key of its own. */
  etag: string;
}

/** The parts that an open upload has, by number. */
export async function listParts(
  bucket: S3Bucket,
  upload: OpenUpload,
  signal: AbortSignal,
): Promise<Map<number, StoredPart>> {
  const parts = new Map<number, StoredPart>();
  const input = { Bucket: bucket.name, Key: upload.key, UploadId: upload.id };
  for await (const page of paginateListParts({ client: bucket.client }, input, { abortSignal: signal })) {
    for (const { PartNumber: number, Size: sizeBytes, ETag: etag } of page.Parts ?? []) {
      if (number !== undefined && sizeBytes !== undefined && etag !== undefined) {
        parts.set(number, { sizeBytes, etag: etag.replaceAll('"', '') });
      }
    }
  }
  return parts;
}
