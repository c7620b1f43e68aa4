import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { inject } from 'vitest';
import type { TransferOptions } from '../../src/destinations/destination.js';
import type { S3Destination, S3DestinationInput } from '../../src/destinations/s3.js';
import { createS3Destination } from '../../src/destinations/s3.js';
import './provided.js';

const BUCKET = 'destinations';

/** Gives the SDK's own chain the keys of the run's S3 server, for this process, and makes sure of the bucket. */
export async function useProvidedS3(): Promise<void> {
  const { accessKeyId, secretAccessKey } = inject('s3');
  process.env['AWS_ACCESS_KEY_ID'] = accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey;
  await withClient(async (client) => {
    await client.send(new CreateBucketCommand({ Bucket: BUCKET })).catch((error: unknown) => {
      if (!(error instanceof Error && error.name.startsWith('BucketAlready'))) throw error;
    });
  });
}

/** What a destination of the run's S3 server needs, with a prefix that nobody else uses. */
export function s3Place(options: Partial<S3DestinationInput> = {}): S3DestinationInput {
  const { endpoint, region } = inject('s3');
  return { bucket: BUCKET, prefix: randomUUID(), endpoint, region, forcePathStyle: true, ...options };
}

export function s3Destination(options: Partial<S3DestinationInput> = {}): S3Destination {
  return createS3Destination(s3Place(options));
}

/** How many multipart uploads are open under a prefix. */
export function openUploads({ bucket, prefix }: S3DestinationInput): Promise<number> {
  return withClient(async (client) => {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
    return (page.Uploads ?? []).length;
  });
}

/** A client of the test's own, past the code under test. */
export async function withClient<T>(work: (client: S3Client) => Promise<T>): Promise<T> {
  const { endpoint, region } = inject('s3');
  const client = new S3Client({ endpoint, region, forcePathStyle: true });
  return work(client).finally(() => {
    client.destroy();
  });
}

/** Options for a transfer that goes on to its end. */
export function transfer(): TransferOptions {
  return { signal: new AbortController().signal, onProgress: () => undefined };
}
