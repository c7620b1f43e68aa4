import { createCatalog, type UnreadableManifest } from '../catalog.js';
import type { Destination } from '../destinations/destination.js';
import type { CatalogEntry } from '../domain/retention.js';
import type { VerifyTargetInput, VerifyTargetResult } from '../domain/verify-run.js';
import type { Runtime } from '../runtime.js';
import { asFailure } from './failure.js';
import { locationOf } from './list-artifacts.js';
import type { StepContext } from './step.js';
import { verifyArtifact } from './verify.js';

/** Verifies the newest artifact of a target in one destination (or that of a run), and leaves the result beside it. */
export async function verifyTarget(
  runtime: Runtime,
  input: VerifyTargetInput,
  step: StepContext,
): Promise<VerifyTargetResult> {
  const { target, kind, method, from } = input;
  const startedMs = Date.now();
  const destination = runtime.destination(from);
  const id = { target, kind, method };
  const { entry, damaged } = await newest(destination, input);
  if (damaged !== undefined) {
    const location = `${destination.location}/${damaged.path}`;
    return {
      ...id,
      outcome: 'failed',
      reason: damaged.reason,
      notes: [],
      durationMs: Date.now() - startedMs,
      location,
    };
  }
  if (entry === undefined) {
    const reason = `${destination.location} has no artifact of it`;
    return { ...id, outcome: 'unverified', reason, notes: [], durationMs: Date.now() - startedMs };
  }
  const found = { destination, entry };
  const { outcome, reason, notes = [], restoreMs, durationMs } = await verifyArtifact(runtime, found, method, step);
  return {
    ...{ ...id, outcome, notes, durationMs, location: locationOf(found) },
    ...(reason !== undefined && { reason }),
    ...(restoreMs !== undefined && { restoreMs }),
  };
}

/** `damaged`: a manifest that cannot be read and would be newer, so that what is older proves nothing of it. */
async function newest(
  destination: Destination,
  { service, target, kind, run }: VerifyTargetInput,
): Promise<{ entry?: CatalogEntry; damaged?: UnreadableManifest }> {
  try {
    const filter = { target, kind, ...(run !== undefined && { run }) };
    const { entries, unreadable } = await createCatalog(destination).list(filter);
    const entry = entries.find(({ manifest }) => manifest.service === service);
    const damaged = unreadable.find(({ path }) => entry === undefined || runOfPath(path) > entry.manifest.run);
    return { ...(entry && { entry }), ...(damaged && { damaged }) };
  } catch (error) {
    throw asFailure(error);
  }
}

function runOfPath(path: string): string {
  return path.split('/')[0] ?? '';
}
