import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import { isOfServer } from '../domain/target.js';
import { theRoles } from '../sources/postgres/preparation.js';
import { asFailure } from './failure.js';
import { listArtifacts, locationOf, type ArtifactListing, type FoundArtifact } from './list-artifacts.js';

export interface FindGlobalsInput {
  /** Of a database: its server's globals are looked for. */
  manifest: Pick<Manifest, 'target' | 'service' | 'source' | 'run' | 'captureStartedAt'>;
  /** Roles that they have to hold. */
  roles: readonly string[];
  destinations: readonly Destination[];
  /** Told which they are, and why others are not. */
  log: (line: string) => void;
}

/**
 * The globals of a database's server that hold certain roles: those of the same run, else the newest before it, else the oldest after it.
 * Errors: Failed where there are none; those of a destination that does not answer.
 */
export async function findGlobals(input: FindGlobalsInput): Promise<FoundArtifact> {
  const { manifest, roles, destinations, log } = input;
  const listing = await listArtifacts({ destinations, kind: 'globals' });
  for (const { destination, path, reason } of listing.broken) {
    if (path.startsWith(`${manifest.run}/`)) log(`passing over ${destination.location}/${path}: ${reason}`);
  }
  const candidates = globalsOf(manifest, listing.artifacts);
  const chosen = candidates.find(({ entry }) => missingIn(entry.manifest, roles).length === 0);
  if (chosen !== undefined) {
    log(`${manifest.target}: roles from run ${chosen.entry.manifest.run}: ${locationOf(chosen)}`);
    return chosen;
  }
  if (listing.unreachable[0] !== undefined) throw asFailure(listing.unreachable[0].error);
  throw noGlobals(input, candidates, listing);
}

/** Best first. */
export function globalsOf(
  manifest: FindGlobalsInput['manifest'],
  artifacts: readonly FoundArtifact[],
): FoundArtifact[] {
  const ofServer = artifacts.filter(
    ({ entry: { manifest: m } }) => m.service === manifest.service && isOfServer(manifest.source, m.source),
  );
  const at = ({ entry }: FoundArtifact) => entry.manifest.captureStartedAt;
  const ofRun = ofServer.filter(({ entry }) => entry.manifest.run === manifest.run);
  const others = ofServer.filter((found) => !ofRun.includes(found));
  const before = others.filter((found) => at(found) < manifest.captureStartedAt);
  const after = others.filter((found) => at(found) >= manifest.captureStartedAt);
  return [...ofRun, ...before, ...after.reverse()];
}

function missingIn(globals: Manifest, roles: readonly string[]): string[] {
  return roles.filter((role) => !globals.roles?.includes(role));
}

function noGlobals(
  { manifest, roles }: FindGlobalsInput,
  candidates: readonly FoundArtifact[],
  { broken }: ArtifactListing,
): BackupError {
  const unusable = broken
    .map(({ destination, path, reason }) => `; ${destination.location}/${path}: ${reason}`)
    .join('');
  const [best] = candidates;
  const reason =
    best === undefined
      ? `there are no globals of its server${unusable}`
      : `no globals of its server hold ${theRoles(missingIn(best.entry.manifest, roles))}${unusable}`;
  return new BackupError('Failed', `cannot make the roles that ${manifest.target} needs: because ${reason}`, {
    hint: '`backupctl list` shows all globals; create the roles by hand, or restore with `--no-owner`',
    retryable: false,
  });
}
