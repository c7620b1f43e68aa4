export const VERIFICATION_FORMAT = 'backup-verification/1';

/** What the last verification of a kept artifact found; it lies beside the artifact, in the destination that it was read from. */
export interface Verification {
  format: typeof VERIFICATION_FORMAT;
  /** File name of the artifact. */
  artifact: string;
  /** Of its manifest: a result for other bytes is none. */
  sha256: string;
  /** `read`: every byte was read back, hashed, decompressed and read to the end of the dump or archive. */
  method: 'read';
  outcome: 'verified' | 'failed';
  /** Why it failed. */
  reason?: string;
  /** RFC 3339, UTC. */
  verifiedAt: string;
  durationMs: number;
}

const SUFFIX = '.verified.json';

export function verificationName(artifact: string): string {
  return artifact + SUFFIX;
}
