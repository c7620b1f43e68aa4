import { z } from 'zod';
import type { Destination } from './destinations/destination.js';
import type { Manifest } from './domain/manifest.js';
import { VERIFICATION_FORMAT, verificationName, type Verification } from './domain/verification.js';

const shape = z.object({
  format: z.literal(VERIFICATION_FORMAT),
  artifact: z.string(),
  sha256: z.string(),
  method: z.literal('read'),
  outcome: z.enum(['verified', 'failed']),
  reason: z.string().exactOptional(),
  verifiedAt: z.iso.datetime(),
  durationMs: z.number(),
}) satisfies z.ZodType<Verification>;

/** What is known of the artifact at `path`; undefined where that is nothing, cannot be read, or is about other bytes. */
export async function readVerification(
  destination: Destination,
  path: string,
  { artifact }: Manifest,
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

/** Leaves it beside the artifact at `path`, instead of the last one. */
export async function writeVerification(destination: Destination, path: string, found: Verification): Promise<void> {
  await destination.replaceText(verificationName(path), JSON.stringify(found, null, 2) + '\n');
}
