import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { inject } from 'vitest';
import { newClient } from './s3-server.js';

/** What shows that a file was touched: another inode, other bytes, another time. By path. */
export type Snapshot = Record<string, string>;

/** All files of a directory, those in its directories too. */
export async function snapshotFiles(directory: string): Promise<Snapshot> {
  const snapshot: Snapshot = {};
  for (const path of await filesIn(directory)) {
    const { ino, size, mtimeNs } = await stat(join(directory, path), { bigint: true });
    snapshot[path] = `inode ${ino}, ${size} bytes, written ${mtimeNs}, ${await sha256Of(join(directory, path))}`;
  }
  return snapshot;
}

/** Where living workers record what they have at hand: it comes and goes. */
const LIVING = '.workers/';

/** Paths relative to the directory, sorted. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => !path.startsWith(LIVING))
    .sort();
}

/** All objects of a bucket of the shared S3 server. */
export async function snapshotBucket(bucket: string): Promise<Snapshot> {
  const client = newClient(inject('s3').endpoint);
  const snapshot: Snapshot = {};
  try {
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket })) {
      for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
        snapshot[Key ?? ''] = `${Size} bytes, ${ETag}, written ${LastModified?.toISOString()}`;
      }
    }
  } finally {
    client.destroy();
  }
  return snapshot;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
