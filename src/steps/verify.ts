import { createCatalog } from '../catalog.js';
import type { Destination, FileFacts } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import { lineKey, type CatalogEntry } from '../domain/retention.js';
import type { VerificationMethod, VerificationResult } from '../domain/verification.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { proveArtifact } from '../pipeline/prove.js';
import type { Runtime } from '../runtime.js';
import { recordVerification } from '../verifications.js';
import { drillArtifact } from './drill.js';
import { asFailure } from './failure.js';
import type { FoundArtifact } from './list-artifacts.js';
import { withDownload } from './retrieve.js';
import { shareDrill } from './share-drill.js';
import type { StepContext } from './step.js';

export interface VerifyInput {
  /** Default: all. */
  target?: string;
  /** Default: all. */
  run?: string;
  /** A drill reads the artifact too, first. */
  method: VerificationMethod;
  destinations: readonly Destination[];
  /** Told each result as it comes. */
  onVerified: (verified: VerifiedArtifact) => void;
}

/** `reason`: why it is not `verified`. */
export interface VerifiedArtifact extends Omit<VerificationResult, 'verifiedAt'> {
  destination: Destination;
  /** Relative to the destination's root: of the artifact, or of a manifest that cannot be read. */
  path: string;
  sizeBytes?: number;
}

/**
 * Reads every byte of kept artifacts back (downloaded, from another destination than the local one), hashes, decompresses and reads
 * them to their end, restores them where that is asked for, and leaves the result beside each. A manifest that cannot be read and an artifact
 * that is missing fail too. Rejects where a destination does not answer, and when `step.signal` aborts: what was found until then stays.
 */
export async function verifyArtifacts(
  runtime: Runtime,
  input: VerifyInput,
  step: StepContext,
): Promise<VerifiedArtifact[]> {
  const all: VerifiedArtifact[] = [];
  const settle = (verified: VerifiedArtifact) => {
    all.push(verified);
    input.onVerified(verified);
  };
  const found: FoundArtifact[] = [];
  for (const destination of input.destinations) {
    const { entries, unreadable } = await list(destination, input);
    for (const { path, reason } of unreadable) settle({ destination, path, outcome: 'failed', reason, durationMs: 0 });
    found.push(...entries.map((entry) => ({ destination, entry })));
  }
  for (const artifact of toVerify(found, input)) settle(await verifyArtifact(runtime, artifact, input.method, step));
  return all;
}

/** A drill takes long, and the bytes of all copies are the same: one copy of each artifact; of each line the newest, unless a run is named. */
function toVerify(found: readonly FoundArtifact[], { method, run }: VerifyInput): readonly FoundArtifact[] {
  if (method === 'read') return found;
  const chosen = new Map<string, FoundArtifact>();
  for (const artifact of found) {
    const { manifest, path } = artifact.entry;
    const key = run === undefined ? manifest.service + lineKey(manifest) : path;
    const other = chosen.get(key);
    if (other === undefined || isNewer(artifact.entry, other.entry)) chosen.set(key, artifact);
  }
  return [...chosen.values()];
}

function isNewer(one: CatalogEntry, other: CatalogEntry): boolean {
  return Date.parse(one.manifest.captureStartedAt) > Date.parse(other.manifest.captureStartedAt);
}

async function list(destination: Destination, { target, run }: VerifyInput) {
  try {
    const filter = { ...(target !== undefined && { target }), ...(run !== undefined && { run }) };
    return await createCatalog(destination).list(filter);
  } catch (error) {
    throw asFailure(error);
  }
}

/** Verifies one artifact, and leaves the result beside it; see `verifyArtifacts`. */
export async function verifyArtifact(
  runtime: Runtime,
  found: FoundArtifact,
  method: VerificationMethod,
  step: StepContext,
): Promise<VerifiedArtifact> {
  const { destination, entry } = found;
  const { local } = runtime;
  throwIfAborted(step.signal);
  const verify = async (path: string) => {
    const read = await settled(runtime, found, 'read', step, () => readArtifact(runtime, entry, path, step));
    if (method === 'read' || read.outcome === 'failed') return read;
    return settled(runtime, found, 'drill', step, () => drillArtifact(runtime, { found, path }, step));
  };
  if (!entry.whole) {
    const reason = 'it is missing, or has another size than its manifest says';
    return settled(runtime, found, 'read', step, () => Promise.resolve({ outcome: 'failed', reason }));
  }
  try {
    return destination === local
      ? await verify(local.pathOf(entry.path))
      : await withDownload({ found, local }, step, verify);
  } catch (error) {
    const reason = damageOf(error);
    return settled(runtime, found, 'read', step, () => Promise.resolve({ outcome: 'failed', reason }));
  }
}

type Verdict = Pick<VerificationResult, 'outcome' | 'reason' | 'notes' | 'restoreMs'>;

/** Comes to a verdict, and leaves it beside the artifact. */
async function settled(
  { destinations }: Runtime,
  found: FoundArtifact,
  method: VerificationMethod,
  step: StepContext,
  judge: () => Promise<Verdict>,
): Promise<VerifiedArtifact> {
  const { destination, entry } = found;
  const { manifest, path } = entry;
  step.log(`verifying ${destination.location}/${path}: ${method}`);
  const startedMs = Date.now();
  const verdict = await judge();
  const durationMs = Date.now() - startedMs;
  const result = { ...verdict, verifiedAt: new Date().toISOString(), durationMs };
  await recordVerification({ destination, path, manifest, method, result });
  if (method === 'drill') await shareDrill({ found, result, destinations, log: step.log });
  return { destination, path, ...verdict, sizeBytes: manifest.artifact.sizeBytes, durationMs };
}

async function readArtifact(
  { tools }: Runtime,
  { manifest: { kind, artifact } }: CatalogEntry,
  path: string,
  step: StepContext,
): Promise<Verdict> {
  try {
    const facts = await proveArtifact({
      ...{ path, kind, compression: artifact.compression, dumpFormat: artifact.dumpFormat, tools, entryByEntry: true },
      ...step,
    });
    const reason = difference(artifact, facts);
    return reason === undefined ? { outcome: 'verified' } : { outcome: 'failed', reason };
  } catch (error) {
    return { outcome: 'failed', reason: damageOf(error) };
  }
}

/** What says that the artifact is damaged; every other error says nothing about it, and is thrown. */
function damageOf(error: unknown): string {
  if (error instanceof BackupError && error.code === 'Damaged') return error.message;
  throw asFailure(error);
}

function difference(artifact: FileFacts, facts: FileFacts): string | undefined {
  for (const fact of ['sizeBytes', 'sha256', 'crc32'] as const) {
    if (facts[fact] !== artifact[fact])
      return `its ${fact} is ${String(facts[fact])}, and its manifest names ${String(artifact[fact])}`;
  }
  return undefined;
}
