import { createCatalog } from '../catalog.js';
import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import type { VerificationResult } from '../domain/verification.js';
import { recordDrillElsewhere } from '../verifications.js';
import type { FoundArtifact } from './list-artifacts.js';

export interface ShareDrillInput {
  found: FoundArtifact;
  result: VerificationResult;
  destinations: readonly Destination[];
  log: (line: string) => void;
}

/**
 * Tells the other destinations, whose retention counts for itself, what a drill found of bytes that they hold too. One that is away is
 * not told; a prune asks once more.
 */
export async function shareDrill({ found, result, destinations, log }: ShareDrillInput): Promise<void> {
  const { manifest, path } = found.entry;
  for (const destination of destinations.filter((each) => each !== found.destination)) {
    try {
      const there = await createCatalog(destination).get(manifest.run, manifest.artifact.name);
      if (there?.artifact.sha256 !== manifest.artifact.sha256) continue;
      await recordDrillElsewhere({ destination, path, manifest, result });
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      log(`${destination.location}/${path} is not told of the drill: ${error.message}`);
    }
  }
}
