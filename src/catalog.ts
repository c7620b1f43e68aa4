import { mapBounded } from './bounded.js';
import type { Destination, StoredObject } from './destinations/destination.js';
import { BackupError } from './domain/errors.js';
import type { Manifest } from './domain/manifest.js';
import { inRun, isArtifactOf, manifestName, mayBeOfKind, possibleNames, RUN_PATTERN } from './domain/names.js';
import { pinName } from './domain/pin.js';
import type { CatalogEntry } from './domain/retention.js';
import type { TargetKind } from './domain/target.js';
import { verificationName } from './domain/verification.js';
import { readManifest, sealManifest } from './manifest-text.js';
import { readPin } from './pins.js';
import { readVerification } from './verifications.js';
import { removeArtifact } from './removal.js';

const READS_AT_ONCE = 16;
const MANIFEST_PATH = /^(?<run>[^/]+)\/(?<artifact>[^/]+)\.manifest\.json$/;

/** Entries of which all that is named here is true. */
export interface CatalogFilter {
  run?: string;
  target?: string;
  kind?: TargetKind;
}

export interface UnreadableManifest {
  /** Relative to the destination's root. */
  path: string;
  reason: string;
}

export interface CatalogListing {
  /** Newest `captureStartedAt` first. */
  entries: CatalogEntry[];
  /** What is there and cannot be used: kept, never restored, not counted. */
  unreadable: UnreadableManifest[];
}

export interface Catalog {
  /** Default: all. A manifest that cannot be read fails nothing; a destination that does not answer does. */
  list(filter?: CatalogFilter): Promise<CatalogListing>;
  /** Throws `Damaged` for a manifest that cannot be read. */
  get(run: string, artifact: string): Promise<Manifest | undefined>;
  /**
   * Makes a file that lies there whole an artifact. The same manifest there already is success, another one a `Conflict`;
   * a missing or different file is `Damaged`.
   */
  commit(manifest: Manifest): Promise<void>;
  /** Manifest first; not one that is pinned by now. Checksums, notes and what an interruption leaves are for `finishRemovals`, after all. */
  remove(entry: CatalogEntry): Promise<'removed' | 'pinned'>;
}

/** The manifests in a destination. */
export function createCatalog(destination: Destination): Catalog {
  return {
    list: (filter) => listManifests(destination, filter),
    get: (run, artifact) => getManifest(destination, run, artifact),
    commit: (manifest) => commitManifest(destination, manifest),
    remove: (entry) => removeArtifact(destination, entry),
  };
}

interface Place {
  run: string;
  artifact: string;
}

async function listManifests(destination: Destination, filter: CatalogFilter = {}): Promise<CatalogListing> {
  const { target, kind } = filter;
  const objects = await objectsFor(destination, filter);
  const sizes = new Map(objects.map((object) => [object.path, object.sizeBytes]));
  const places = objects
    .map(placeOf)
    .filter((place) => place !== undefined)
    .filter((place) => mayBe(place, filter));
  const found = await mapBounded(places, READS_AT_ONCE, (place) => readPlace(destination, place));
  const manifests = found
    .filter((item) => item !== undefined && 'format' in item)
    .filter((m) => (target === undefined || m.target === target) && (kind === undefined || m.kind === kind));
  const entries = await mapBounded(manifests, READS_AT_ONCE, (manifest) => entryOf(destination, manifest, sizes));
  entries.sort(newestFirst);
  return { entries, unreadable: found.filter((item) => item !== undefined && 'reason' in item) };
}

/** Those of one target are looked for by name where that can be done: each target of a run asks, and each listing would grow with all of them. */
async function objectsFor(destination: Destination, { run, target, kind }: CatalogFilter): Promise<StoredObject[]> {
  if (target === undefined || destination.folders === undefined)
    return destination.list(run === undefined ? '' : inRun(run, ''));
  const folders = await destination.folders();
  const runs = folders.filter((name) => RUN_PATTERN.test(name) && (run === undefined || name === run));
  const paths = runs.flatMap((found) =>
    possibleNames({ target, run: found, ...(kind !== undefined && { kind }) }).map((name) => inRun(found, name)),
  );
  const stats = async (wanted: string[]) =>
    (await mapBounded(wanted, READS_AT_ONCE, (path) => destination.stat(path))).filter(
      (object) => object !== undefined,
    );
  const manifests = new Map((await stats(paths.map(manifestName))).map((object) => [object.path, object]));
  const committed = paths.filter((path) => manifests.has(manifestName(path)));
  const beside = await stats(committed.flatMap((path) => [path, verificationName(path), pinName(path)]));
  return [...manifests.values(), ...beside];
}

/** Manifests elsewhere than in a run's folder are strangers'. */
function placeOf({ path }: StoredObject): Place | undefined {
  const { run, artifact } = MANIFEST_PATH.exec(path)?.groups ?? {};
  return run !== undefined && artifact !== undefined && RUN_PATTERN.test(run) ? { run, artifact } : undefined;
}

/** Spares reading the manifests of other targets; which target it is, the manifest says. */
function mayBe({ run, artifact }: Place, { target, kind }: CatalogFilter): boolean {
  if (target === undefined) return kind === undefined || mayBeOfKind(artifact, kind);
  return isArtifactOf(artifact, { target, run, ...(kind !== undefined && { kind }) });
}

async function readPlace(
  destination: Destination,
  { run, artifact }: Place,
): Promise<Manifest | UnreadableManifest | undefined> {
  try {
    return await getManifest(destination, run, artifact);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code === 'ServerUnreachable') throw error;
    return { path: inRun(run, manifestName(artifact)), reason: error.message };
  }
}

async function getManifest(destination: Destination, run: string, artifact: string): Promise<Manifest | undefined> {
  const text = await destination.readText(inRun(run, manifestName(artifact)));
  if (text === undefined) return undefined;
  const manifest = readManifest(text);
  if (manifest.run === run && manifest.artifact.name === artifact) return manifest;
  throw new BackupError(
    'Damaged',
    `cannot use the manifest of ${inRun(run, artifact)}: because it is that of ${inRun(manifest.run, manifest.artifact.name)}`,
  );
}

async function entryOf(
  destination: Destination,
  manifest: Manifest,
  sizes: ReadonlyMap<string, number>,
): Promise<CatalogEntry> {
  const path = inRun(manifest.run, manifest.artifact.name);
  const isVerified = sizes.has(verificationName(path));
  const verification = isVerified ? await readVerification(destination, path, manifest) : undefined;
  // One that has gone since was there a moment ago: it holds this once.
  const pin = sizes.has(pinName(path)) ? ((await readPin(destination, path)) ?? {}) : undefined;
  const whole = sizes.get(path) === manifest.artifact.sizeBytes;
  return { manifest, path, whole, ...(verification !== undefined && { verification }), ...(pin && { pin }) };
}

function newestFirst(one: CatalogEntry, other: CatalogEntry): number {
  const laterMs = Date.parse(other.manifest.captureStartedAt) - Date.parse(one.manifest.captureStartedAt);
  return laterMs || (one.path < other.path ? 1 : -1);
}

async function commitManifest(destination: Destination, manifest: Manifest): Promise<void> {
  const path = inRun(manifest.run, manifest.artifact.name);
  const there = await destination.stat(path);
  if (there?.sizeBytes !== manifest.artifact.sizeBytes) {
    const found = there === undefined ? 'it is not there' : `it has ${there.sizeBytes} bytes`;
    throw new BackupError(
      'Damaged',
      `cannot commit ${destination.location}/${path}: because ${found}, and its manifest names ${manifest.artifact.sizeBytes}`,
    );
  }
  const text = sealManifest(manifest);
  if ((await destination.createText(manifestName(path), text)) === 'created') return;
  if ((await destination.readText(manifestName(path))) === text) return;
  throw new BackupError(
    'Conflict',
    `cannot commit ${destination.location}/${path}: because another manifest is there already`,
  );
}
