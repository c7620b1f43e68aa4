import type { TargetKind } from './target.js';

export type TargetOutcome = 'succeeded' | 'failed' | 'skipped' | 'cancelled';
export type RunOutcome = 'succeeded' | 'partial' | 'failed' | 'cancelled';

/** What became of one target in a run; also a row of `run --json`. */
export interface TargetResult {
  target: string;
  kind: TargetKind;
  /** Whose directory holds the artifact; absent in records before there were several. */
  host?: string;
  outcome: TargetOutcome;
  /** Why, for people; with its `HINT:` line. */
  error?: string;
  /** File name; also given where the capture succeeded and a copy failed. */
  artifact?: string;
  sizeBytes?: number;
  sha256?: string;
  durationMs?: number;
  warnings?: string[];
}

/** `failed` where one failed and none succeeded, `partial` where any other failed or was skipped. */
export function runOutcome(targets: readonly Pick<TargetResult, 'outcome'>[]): RunOutcome {
  const some = (outcome: TargetOutcome) => targets.some((t) => t.outcome === outcome);
  if (some('cancelled')) return 'cancelled';
  if (some('failed') && !some('succeeded')) return 'failed';
  if (some('failed') || some('skipped')) return 'partial';
  return 'succeeded';
}

/** The exit codes of `backupctl`. */
export const EXIT = { done: 0, failed: 1, usage: 2, partial: 3, notFound: 4, unverified: 5, cancelled: 130 } as const;

export function exitCodeOf(outcome: RunOutcome): number {
  return { succeeded: EXIT.done, partial: EXIT.partial, failed: EXIT.failed, cancelled: EXIT.cancelled }[outcome];
}
