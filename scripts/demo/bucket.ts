import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Server } from '../../test/support/s3-server.js';
import { BUCKET } from './servers.js';

export interface BucketObject {
  key: string;
  sizeBytes: number;
}

/** Everything in the bucket, as the S3 server itself lists it. */
export async function listBucket(server: S3Server): Promise<BucketObject[]> {
  const client = server.client();
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    return Contents.map(({ Key = '', Size = 0 }) => ({ key: Key, sizeBytes: Size }));
  } finally {
    client.destroy();
  }
}
