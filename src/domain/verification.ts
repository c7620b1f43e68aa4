export const VERIFICATION_FORMAT = 'backup-verification/1';

/**
 * How an artifact is verified. `read`: every byte is read back, hashed, decompressed and read to the end of the dump or archive.
 * `drill`: it is restored into something that is thrown away, and what came of it is compared with the artifact.
 */
export type VerificationMethod = 'read' | 'drill';

/** `unverified`: what there was to check with did not suffice (no server of that version, …). That is no success. */
export type VerificationOutcome = 'verified' | 'failed' | 'unverified';

/** What a drill found; a tool's own trouble is an error and no verdict. */
export interface DrillResult {
  outcome: VerificationOutcome;
  /** Why it is not `verified`. */
  reason?: string;
  /** What a person should know beside that: differences of rendering alone, what was made for the drill. */
  notes: string[];
  /** How long the restore took, without the comparison: what to expect of a real one. */
  restoreMs?: number;
}

export interface VerificationResult extends Omit<DrillResult, 'notes'> {
  /** Absent: none. */
  notes?: string[];
  /** RFC 3339, UTC. */
  verifiedAt: string;
  durationMs: number;
}

/** What is known of a kept artifact; it lies beside the artifact, in the destination that it was read from. */
export interface Verification {
  format: typeof VERIFICATION_FORMAT;
  /** File name of the artifact. */
  artifact: string;
  /** Of its manifest: a result for other bytes is none. */
  sha256: string;
  /** The last one of each method. */
  results: Partial<Record<VerificationMethod, VerificationResult>>;
}

/** Why the artifact is no backup any more, if so: one method failed, and no later one of that method passed. */
export function failureOf(verification: Verification | undefined): VerificationResult | undefined {
  const { read, drill } = verification?.results ?? {};
  return [read, drill].find((result) => result?.outcome === 'failed');
}

/** The last success of either method. */
export function lastVerified(verification: Verification | undefined): VerificationResult | undefined {
  const { read, drill } = verification?.results ?? {};
  const passed = [read, drill].filter((result) => result?.outcome === 'verified');
  return passed.sort((one, other) => ((one?.verifiedAt ?? '') < (other?.verifiedAt ?? '') ? 1 : -1))[0];
}

/** With a newer result. What could not be checked this time takes back no failure. */
export function withResult(
  before: Verification['results'],
  method: VerificationMethod,
  result: VerificationResult,
): Verification['results'] {
  const isKept = result.outcome === 'unverified' && before[method]?.outcome === 'failed';
  return isKept ? before : { ...before, [method]: result };
}

/**
 * What the drill of another copy of the same bytes means for this one: its failure is that of this one too, and its success takes a
 * failure back; these bytes were not read for it, so it proves no more.
 */
export function withDrillElsewhere(
  before: Verification['results'],
  drill: VerificationResult | undefined,
): Verification['results'] {
  const isOlder = drill === undefined || drill.verifiedAt <= (before.drill?.verifiedAt ?? '');
  if (isOlder || drill.outcome === 'unverified') return before;
  if (drill.outcome === 'failed') return { ...before, drill };
  const { drill: own, ...others } = before;
  return own?.outcome === 'failed' ? others : before;
}

const SUFFIX = '.verified.json';

export function verificationName(artifact: string): string {
  return artifact + SUFFIX;
}
