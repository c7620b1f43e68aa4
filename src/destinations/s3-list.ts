import { ListObjectsV2Command, type ListObjectsV2CommandOutput, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { StoredObject } from './destination.js';
import type { S3Bucket } from './s3-bucket.js';
import { NoStoreError } from './s3-errors.js';

export async function listObjects(bucket: S3Bucket, prefix: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  const input = { Bucket: bucket.name, Prefix: bucket.keyPrefixOf(prefix) };
  for await (const page of paginateListObjectsV2({ client: bucket.client }, input)) {
    assertListing(page);
    for (const { Key: key = '', Size: sizeBytes = 0 } of page.Contents ?? []) {
      // A key that ends with `/` is how consoles show an empty folder.
      if (!key.endsWith('/')) objects.push({ path: bucket.pathOf(key), sizeBytes });
    }
  }
  return objects;
}

/** By listing, since the answer to HEAD does not tell a missing bucket from a missing object, nor why it refused. */
export async function statObject(
  bucket: S3Bucket,
  path: string,
  signal?: AbortSignal,
): Promise<StoredObject | undefined> {
  const key = bucket.keyOf(path);
  const command = new ListObjectsV2Command({ Bucket: bucket.name, Prefix: key, MaxKeys: 1 });
  const answer = await bucket.client.send(command, signal && { abortSignal: signal });
  assertListing(answer);
  const [first] = answer.Contents ?? [];
  return first?.Key === key ? { path, sizeBytes: first.Size ?? 0 } : undefined;
}

/** The SDK takes any XML, a web page too, for a listing with nothing in it. */
function assertListing({ Name, KeyCount, Prefix }: ListObjectsV2CommandOutput): void {
  if (Name === undefined && KeyCount === undefined && Prefix === undefined) throw new NoStoreError('no listing');
}
