import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { inject } from 'vitest';
import type { Deployment } from './deployment.js';
import { newClient } from './s3-server.js';
import { filesIn } from './snapshot.js';
import { containersOf } from './volume-attempt.js';

/** What a backup directory may hold when nothing goes on: artifacts, manifests, and the derived records. */
const EXPECTED = [
  /^\.backup-dir\.json$/,
  /^\.workers\/[\w-]+\.\w+\/owner$/, // of a worker that lives, or died without anything at hand
  /^logs\/backup_\d{8}_\d{6}\.log$/,
  /^\d{8}_\d{6}\/(run\.json|SHA256SUMS)$/,
  /^\d{8}_\d{6}\/[\w-]+_\d{8}_\d{6}\.(sql|tar)\.gz(\.manifest\.json)?$/,
];

export interface Leftovers {
  /** In the backup directory: parts and whatever else has no business there. */
  files: string[];
  /** In the directory for temporary files that `startWorker` was given. */
  temporary: string[];
  containers: string[];
  uploads: string[];
}

export const NOTHING_LEFT: Leftovers = { files: [], temporary: [], containers: [], uploads: [] };

export interface LeftoversInput {
  deployment: Deployment;
  /** `TMPDIR` of its workers. */
  temporaryDirectory: string;
  /** Default: none is looked into. */
  bucket?: string;
}

/** What dead, lost or ended attempts left behind. */
export async function leftovers({ deployment, temporaryDirectory, bucket }: LeftoversInput): Promise<Leftovers> {
  const { backupDir } = deployment;
  const files = (await filesIn(backupDir)).filter((path) => !EXPECTED.some((pattern) => pattern.test(path)));
  return {
    files,
    temporary: await filesIn(temporaryDirectory),
    containers: await containersOf(await serviceOf(deployment)),
    uploads: bucket === undefined ? [] : await openUploads(bucket),
  };
}

/** The service's name, once a worker of the deployment has started. */
export async function serviceOf({ backupDir }: Deployment): Promise<string> {
  const identity = JSON.parse(await readFile(join(backupDir, '.backup-dir.json'), 'utf8')) as { service: string };
  return identity.service;
}

async function openUploads(bucket: string): Promise<string[]> {
  const client = newClient(inject('s3').endpoint);
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads.map(({ Key, UploadId }) => `${Key}: ${UploadId}`);
  } finally {
    client.destroy();
  }
}
