import type { Destination } from './destinations/destination.js';
import { manifestName } from './domain/names.js';
import type { CatalogEntry } from './domain/retention.js';
import { sealManifest } from './manifest-text.js';

/** The note of a removal: a manifest on its way out, which tells what is ours to remove when the manifest itself is gone. */
export const REMOVAL_SUFFIX = '.removing.json';
const COMPANION_SUFFIXES = ['.verified.json', '.pin'];

/**
 * Removes an artifact: notes it, then the manifest goes first. Interrupted anywhere, this leaves a whole artifact, or
 * bytes without manifest, which are none. The note stays until `finishRemovals`.
 */
export async function removeArtifact(destination: Destination, { manifest, path }: CatalogEntry): Promise<void> {
  await destination.createText(path + REMOVAL_SUFFIX, sealManifest(manifest));
  await destination.remove(manifestName(path));
  await removeBytes(destination, path);
}

/** All that an artifact without manifest leaves. */
export async function removeBytes(destination: Destination, path: string): Promise<void> {
  await destination.remove(path);
  for (const suffix of COMPANION_SUFFIXES) await destination.remove(path + suffix);
}
