import { createCatalog } from '../catalog.js';
import type { Destination, FileFacts } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import type { CatalogEntry } from '../domain/retention.js';
import { VERIFICATION_FORMAT, type Verification } from '../domain/verification.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { proveArtifact } from '../pipeline/prove.js';
import type { Runtime } from '../runtime.js';
import { writeVerification } from '../verifications.js';
import { asFailure } from './failure.js';
import type { FoundArtifact } from './list-artifacts.js';
import { withDownload } from './retrieve.js';
import type { StepContext } from './step.js';

export interface VerifyInput {
  /** Default: all. */
  target?: string;
  /** Default: all. */
  run?: string;
  destinations: readonly Destination[];
  /** Told each result as it comes. */
  onVerified: (verified: VerifiedArtifact) => void;
}

export interface VerifiedArtifact {
  destination: Destination;
  /** Relative to the destination's root: of the artifact, or of a manifest that cannot be read. */
  path: string;
  outcome: Verification['outcome'];
  /** Why it failed. */
  reason?: string;
  sizeBytes?: number;
  durationMs: number;
}

/**
 * Reads every byte of kept artifacts back (downloaded, from another destination than the local one), hashes, decompresses and reads
 * them to their end, and leaves the result beside each. A manifest that cannot be read and an artifact that is missing fail too. Rejects
 * where a destination does not answer, and when `step.signal` aborts: what was found until then stays.
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
  for (const destination of input.destinations) {
    const { entries, unreadable } = await list(destination, input);
    for (const { path, reason } of unreadable) settle({ destination, path, outcome: 'failed', reason, durationMs: 0 });
    for (const entry of entries) settle(await verifyOne(runtime, { destination, entry }, step));
  }
  return all;
}

async function list(destination: Destination, { target, run }: VerifyInput) {
  try {
    const filter = { ...(target !== undefined && { target }), ...(run !== undefined && { run }) };
    return await createCatalog(destination).list(filter);
  } catch (error) {
    throw asFailure(error);
  }
}

async function verifyOne(runtime: Runtime, found: FoundArtifact, step: StepContext): Promise<VerifiedArtifact> {
  const { destination, entry } = found;
  const { artifact } = entry.manifest;
  throwIfAborted(step.signal);
  step.log(`verifying ${destination.location}/${entry.path}`);
  const startedMs = Date.now();
  const reason = await whyNot(runtime, found, step);
  const durationMs = Date.now() - startedMs;
  const outcome = reason === undefined ? 'verified' : 'failed';
  await writeVerification(destination, entry.path, {
    format: VERIFICATION_FORMAT,
    artifact: artifact.name,
    sha256: artifact.sha256,
    method: 'read',
    outcome,
    ...(reason !== undefined && { reason }),
    verifiedAt: new Date().toISOString(),
    durationMs,
  });
  const why = reason === undefined ? {} : { reason };
  return { destination, path: entry.path, outcome, ...why, sizeBytes: artifact.sizeBytes, durationMs };
}

/** Undefined: it is what its manifest says, and reads to its end. What says nothing about the artifact is thrown. */
async function whyNot(runtime: Runtime, found: FoundArtifact, step: StepContext): Promise<string | undefined> {
  const { destination, entry } = found;
  const { local, tools } = runtime;
  const { kind, artifact } = entry.manifest;
  if (!entry.whole) return 'it is missing, or has another size than its manifest says';
  const prove = async (path: string) =>
    difference(entry, await proveArtifact({ path, kind, compression: artifact.compression, tools, ...step }));
  try {
    if (destination === local) return await prove(local.pathOf(entry.path));
    return await withDownload({ found, local }, step, prove);
  } catch (error) {
    if (error instanceof BackupError && error.code === 'Damaged') return error.message;
    throw asFailure(error);
  }
}

function difference({ manifest: { artifact } }: CatalogEntry, facts: FileFacts): string | undefined {
  for (const fact of ['sizeBytes', 'sha256', 'crc32'] as const) {
    if (facts[fact] !== artifact[fact])
      return `its ${fact} is ${String(facts[fact])}, and its manifest names ${String(artifact[fact])}`;
  }
  return undefined;
}
