import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Destination } from '../../src/destinations/destination.js';
import { createLocalDestination, type LocalDestination } from '../../src/destinations/local.js';
import { s3Destination, useProvidedS3 } from './s3-place.js';

/** An empty backup directory, removed after the test. */
export async function ownLocal(): Promise<LocalDestination> {
  const root = await mkdtemp(join(tmpdir(), 'own-local-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return createLocalDestination({ root });
}

/** An empty destination of each kind. */
export const EACH_PLACE: { place: string; own: () => Promise<Destination> }[] = [
  { place: 'a directory', own: ownLocal },
  {
    place: 'a bucket',
    own: async () => {
      await useProvidedS3();
      return s3Destination();
    },
  },
];
