import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { OwnTest } from './own-parts.js';
import { S3Proxy } from './s3-proxy.js';
import { waitFor } from './wait-for.js';
import { startS3, type S3Server } from './s3-server.js';

/** An S3 server that a test may kill, with one bucket, behind a proxy that counts. */
export interface OwnStore {
  server: S3Server;
  proxy: S3Proxy;
  bucket: string;
  /** Keys of all objects, sorted. */
  keys(): Promise<string[]>;
  read(key: string): Promise<string>;
  openUploads(): Promise<string[]>;
  /** Starts the server again, and returns once it takes objects: it answers before. */
  restart(): Promise<void>;
}

const BUCKET = 'backups';

export async function ownStore({ onTestFinished }: OwnTest): Promise<OwnStore> {
  const server = await startS3();
  onTestFinished(() => server.stop());
  await server.createBucket(BUCKET);
  const proxy = await new S3Proxy(server.endpoint).start();
  onTestFinished(() => proxy.stop());
  const client = server.client();
  onTestFinished(() => client.destroy());
  return {
    ...{ server, proxy, bucket: BUCKET },
    async keys() {
      const keys: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: BUCKET }))
        keys.push(...Contents.map(({ Key = '' }) => Key));
      return keys.sort();
    },
    async read(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return (await Body?.transformToString()) ?? '';
    },
    async openUploads() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
      return Uploads.map(({ Key = '' }) => Key);
    },
    async restart() {
      await server.restart();
      const object = { Bucket: BUCKET, Key: 'probe' };
      await waitFor('the store to take an object', () => client.send(new PutObjectCommand({ ...object, Body: 'x' })));
      await client.send(new DeleteObjectCommand(object));
    },
  };
}
