import type { Destination } from './destinations/destination.js';
import { BackupError } from './domain/errors.js';
import { manifestName } from './domain/names.js';
import { pinName } from './domain/pin.js';
import type { CatalogEntry } from './domain/retention.js';
import { verificationName } from './domain/verification.js';
import { sealManifest } from './manifest-text.js';

/** The note of a removal: a manifest on its way out, which tells what is ours to remove when the manifest itself is gone. */
export const REMOVAL_SUFFIX = '.removing.json';
const COMPANION_NAMES = [verificationName, pinName];

/**
 * Removes an artifact: notes it, then the manifest goes first. Interrupted anywhere, this leaves a whole artifact, or
 * bytes without manifest, which are none. The note stays until `finishRemovals`. Where the disk is too full for it, it
 * comes last: to make room matters more than to be sure of finishing it. One that has been pinned meanwhile stays: whoever
 * pins looks for a note afterwards, so one of the two sees the other.
 */
export async function removeArtifact(destination: Destination, entry: CatalogEntry): Promise<'removed' | 'pinned'> {
  const isNoted = await noteRemoval(destination, entry).catch((error: unknown) => {
    if (error instanceof BackupError && error.code === 'DiskFull') return false;
    throw error;
  });
  if ((await destination.stat(pinName(entry.path))) !== undefined) return 'pinned';
  await destination.remove(manifestName(entry.path));
  await removeBytes(destination, entry.path);
  if (!isNoted) await noteRemoval(destination, entry);
  return 'removed';
}

async function noteRemoval(destination: Destination, { manifest, path }: CatalogEntry): Promise<true> {
  await destination.createText(path + REMOVAL_SUFFIX, sealManifest(manifest));
  return true;
}

/** All that an artifact without manifest leaves. */
export async function removeBytes(destination: Destination, path: string): Promise<void> {
  await destination.remove(path);
  for (const companion of COMPANION_NAMES) await destination.remove(companion(path));
}
