import { z } from 'zod';
import type { Destination } from './destinations/destination.js';
import type { Manifest } from './domain/manifest.js';
import {
  VERIFICATION_FORMAT,
  verificationName,
  withDrillElsewhere,
  withResult,
  type Verification,
  type VerificationMethod,
  type VerificationResult,
} from './domain/verification.js';

const result = z.object({
  outcome: z.enum(['verified', 'failed', 'unverified']),
  reason: z.string().exactOptional(),
  notes: z.array(z.string()).exactOptional(),
  restoreMs: z.number().exactOptional(),
  verifiedAt: z.iso.datetime(),
  durationMs: z.number(),
}) satisfies z.ZodType<VerificationResult>;

const shape = z.object({
  format: z.literal(VERIFICATION_FORMAT),
  artifact: z.string(),
  sha256: z.string(),
  results: z.object({ read: result.exactOptional(), drill: result.exactOptional() }),
}) satisfies z.ZodType<Verification>;

/** What is known of the artifact at `path`; undefined where that is nothing, cannot be read, or is about other bytes. */
export async function readVerification(
  destination: Destination,
  path: string,
  { artifact }: { artifact: Pick<Manifest['artifact'], 'name' | 'sha256'> },
): Promise<Verification | undefined> {
  const text = await destination.readText(verificationName(path));
  if (text === undefined) return undefined;
  const verification = parse(text);
  return verification?.artifact === artifact.name && verification.sha256 === artifact.sha256 ? verification : undefined;
}

function parse(text: string): Verification | undefined {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    return undefined; // the next verification replaces it
  }
}

export interface RecordVerificationInput {
  destination: Destination;
  /** Of the artifact, relative to the destination's root. */
  path: string;
  manifest: Pick<Manifest, 'artifact'>;
  method: VerificationMethod;
  result: VerificationResult;
}

/** Leaves a result beside the artifact, instead of the last one of its method. */
export async function recordVerification({ method, result, ...input }: RecordVerificationInput): Promise<void> {
  await change(input, (before) => withResult(before, method, result));
}

/** Leaves beside another copy of the same bytes what a drill means for it. */
export async function recordDrillElsewhere({
  result,
  ...input
}: Omit<RecordVerificationInput, 'method'>): Promise<void> {
  await change(input, (before) => withDrillElsewhere(before, result));
}

async function change(
  { destination, path, manifest }: Pick<RecordVerificationInput, 'destination' | 'path' | 'manifest'>,
  next: (before: Verification['results']) => Verification['results'],
): Promise<void> {
  const before = (await readVerification(destination, path, manifest))?.results ?? {};
  const results = next(before);
  if (results === before) return;
  const { name: artifact, sha256 } = manifest.artifact;
  const verification: Verification = { format: VERIFICATION_FORMAT, artifact, sha256, results };
  await destination.replaceText(verificationName(path), JSON.stringify(verification, null, 2) + '\n');
}
