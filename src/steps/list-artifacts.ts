import { createCatalog, type CatalogFilter } from '../catalog.js';
import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import { isGood, type CatalogEntry } from '../domain/retention.js';
import { failureOf } from '../domain/verification.js';
import type { TargetKind } from '../domain/target.js';

export interface FoundArtifact {
  destination: Destination;
  entry: CatalogEntry;
}

/** A manifest that cannot be read, or whose artifact is missing, has another size or failed verification. */
export interface BrokenArtifact {
  destination: Destination;
  /** Relative to the destination's root. */
  path: string;
  /** Absent where the manifest cannot be read. */
  entry?: CatalogEntry;
  reason: string;
}

export interface ArtifactListing {
  /** Whole ones, newest `captureStartedAt` first; copies of one artifact in the order of the destinations. */
  artifacts: FoundArtifact[];
  broken: BrokenArtifact[];
  unreachable: { destination: Destination; error: BackupError }[];
}

export interface ListArtifactsInput {
  destinations: readonly Destination[];
  /** Default: all. */
  target?: string;
  /** Default: all. */
  kind?: TargetKind;
}

/** The artifacts of every service in some destinations. One that does not answer hides none of the others. */
export async function listArtifacts({ destinations, target, kind }: ListArtifactsInput): Promise<ArtifactListing> {
  const filter = { ...(target !== undefined && { target }), ...(kind !== undefined && { kind }) };
  const listing: ArtifactListing = { artifacts: [], broken: [], unreachable: [] };
  await Promise.all(destinations.map((destination) => listOne(destination, filter, listing)));
  const rank = (found: { destination: Destination }) => destinations.indexOf(found.destination);
  listing.artifacts.sort((one, other) => startOf(other) - startOf(one) || byRun(one, other) || rank(one) - rank(other));
  listing.broken.sort((one, other) => rank(one) - rank(other));
  listing.unreachable.sort((one, other) => rank(one) - rank(other));
  return listing;
}

async function listOne(destination: Destination, filter: CatalogFilter, listing: ArtifactListing): Promise<void> {
  try {
    const { entries, unreadable } = await createCatalog(destination).list(filter);
    for (const entry of entries) {
      if (isGood(entry)) listing.artifacts.push({ destination, entry });
      else listing.broken.push({ destination, path: entry.path, entry, reason: whyNotGood(entry) });
    }
    for (const { path, reason } of unreadable) listing.broken.push({ destination, path, reason });
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    listing.unreachable.push({ destination, error });
  }
}

/** In words, of one that is not good. */
export function whyNotGood({ whole, verification }: CatalogEntry): string {
  if (!whole) return 'it is missing, or has another size than its manifest says';
  const failure = failureOf(verification);
  return `it failed its verification at ${failure?.verifiedAt ?? ''}: ${failure?.reason ?? ''}`;
}

/** Where an artifact lies, as people write it: `/backups/20261124_030000/mordor_….sql.gz`. */
export function locationOf({ destination, entry }: FoundArtifact): string {
  return `${destination.location}/${entry.path}`;
}

function startOf({ entry }: FoundArtifact): number {
  return Date.parse(entry.manifest.captureStartedAt);
}

function byRun(one: FoundArtifact, other: FoundArtifact): number {
  if (one.entry.path === other.entry.path) return 0;
  return one.entry.path < other.entry.path ? 1 : -1;
}
