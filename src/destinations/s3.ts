import { CreateMultipartUploadCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { BackupError } from '../domain/errors.js';
import type { Destination, SweepInput } from './destination.js';
import { receiveFile } from './local-transfer.js';
import { S3Bucket, type S3BucketInput } from './s3-bucket.js';
import { readObject } from './s3-download.js';
import { isAnswer, NoStoreError } from './s3-errors.js';
import { listObjects, statObject } from './s3-list.js';
import { putS3File } from './s3-put.js';
import { createTextObject, readTextObject, replaceTextObject } from './s3-text.js';
import { abortOpenUpload, listUploads, listUploadsOf } from './s3-uploads.js';

const PROBE_NAME = '.backup-check';

export interface S3DestinationInput extends S3BucketInput {
  /** For tests. Default: 16 MiB, more where a file would have over 9,000 parts. */
  partSizeBytes?: number;
}

export interface S3Destination extends Destination {
  readonly kind: 's3';
}

/** A prefix in an S3 bucket. Small files go up in one request, larger ones in parts, which a later attempt finds and goes on from. */
export function createS3Destination({ partSizeBytes, ...input }: S3DestinationInput): S3Destination {
  const bucket = new S3Bucket(input);
  const { location } = bucket;
  return {
    kind: 's3',
    location,

    list: (prefix = '') => bucket.naming(`list ${location}`, () => listObjects(bucket, prefix)),

    stat: (path) => bucket.naming(`look for ${bucket.urlOf(path)}`, () => statObject(bucket, path)),

    readText: (path) => bucket.naming(`read ${bucket.urlOf(path)}`, () => readTextObject(bucket, bucket.keyOf(path))),

    createText: (path, text) =>
      bucket.naming(`write ${bucket.urlOf(path)}`, async () => {
        if ((await statObject(bucket, path)) !== undefined) return 'taken';
        return createTextObject(bucket, bucket.keyOf(path), text);
      }),

    replaceText: (path, text) =>
      bucket.naming(`write ${bucket.urlOf(path)}`, async () => {
        await statObject(bucket, path); // some stores make a missing bucket on the first write
        await replaceTextObject(bucket, bucket.keyOf(path), text);
      }),

    putFile: (path, from, facts, options) =>
      bucket.naming(
        `upload ${bucket.urlOf(path)}`,
        () => putS3File({ bucket, path, from, facts, partSizeBytes, options }),
        options.signal,
      ),

    abandonPut: (path) =>
      bucket.naming(`abort the upload of ${bucket.urlOf(path)}`, async () => {
        for (const upload of await listUploadsOf(bucket, bucket.keyOf(path))) await abortOpenUpload(bucket, upload);
      }),

    sweepPuts: (sweep) => bucket.naming(`sweep old uploads in ${location}`, () => sweepUploads(bucket, sweep)),

    fetchFile: (path, to, facts, options) =>
      bucket.naming(
        `fetch ${bucket.urlOf(path)}`,
        async () => {
          const chunks = readObject({ bucket, key: bucket.keyOf(path), signal: options.signal });
          await receiveFile({ chunks, to, from: bucket.urlOf(path), facts, ...options }).catch((error: unknown) => {
            throw isAnswer(error, 'NoSuchKey') ? notThere(bucket.urlOf(path)) : error;
          });
        },
        options.signal,
      ),

    remove: (path) =>
      bucket.naming(`remove ${bucket.urlOf(path)}`, async () => {
        await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: bucket.keyOf(path) }));
      }),

    check: () => bucket.naming(`use ${location}`, () => checkBucket(bucket)),
  };
}

/** Tries to list and to write; an upload that is begun and aborted leaves nothing. */
async function checkBucket(bucket: S3Bucket): Promise<void> {
  await statObject(bucket, PROBE_NAME);
  const key = bucket.keyOf(PROBE_NAME);
  const { UploadId: id } = await bucket.client.send(
    new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: key }),
  );
  if (id === undefined) throw new NoStoreError('no upload id');
  await abortOpenUpload(bucket, { key, id, startedAt: new Date() });
}

async function sweepUploads(bucket: S3Bucket, { isOurs, olderThanMs, now }: SweepInput): Promise<number> {
  const old = (await listUploads(bucket, bucket.keyPrefixOf(''))).filter(
    ({ key, startedAt }) => isOurs(bucket.pathOf(key)) && now.getTime() - startedAt.getTime() > olderThanMs,
  );
  for (const upload of old) await abortOpenUpload(bucket, upload);
  return old.length;
}

function notThere(url: string): BackupError {
  return new BackupError('NotFound', `cannot fetch ${url}: because it is not there`);
}
