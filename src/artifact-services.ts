import { createCatalog } from './catalog.js';
import type { Destination } from './destinations/destination.js';
import { BackupError } from './domain/errors.js';

/** The services that the manifests of all destinations name. A destination that cannot be asked is said, and passed over. */
export async function servicesOfArtifacts(
  destinations: readonly Destination[],
  say: (text: string) => void,
): Promise<Set<string>> {
  const names = new Set<string>();
  for (const destination of destinations) {
    try {
      for (const { manifest } of (await createCatalog(destination).list()).entries) names.add(manifest.service);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      // A directory that is not there yet is about to be made.
      if (error.code !== 'NotFound') {
        say(`cannot tell whose artifacts are in ${destination.location}: ${error.message}`);
      }
    }
  }
  return names;
}

/** The one name, where there is exactly one. */
export function onlyOne(names: ReadonlySet<string>): string | undefined {
  return names.size === 1 ? [...names][0] : undefined;
}
