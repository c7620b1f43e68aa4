import type { TargetKind } from './target.js';
import type { VerifyTargetResult } from './verify-run.js';

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
  /** Of the verification after the run, where there was one. */
  verification?: Pick<VerifyTargetResult, 'method' | 'outcome' | 'reason' | 'restoreMs'>;
}

type Outcome = Pick<TargetResult, 'outcome'> & Partial<Pick<TargetResult, 'kind'>>;

/**
 * `failed` where one failed and none succeeded, `partial` where any other failed or was skipped. Globals go along with the databases
 * that were asked for: they make no success of a run whose databases failed, and where another run has them just now nothing is lacking.
 */
export function runOutcome(targets: readonly Outcome[]): RunOutcome {
  const some = (list: readonly Outcome[], outcome: TargetOutcome) => list.some((t) => t.outcome === outcome);
  const entries = targets.filter(({ kind }) => kind !== 'globals');
  const asked = entries.length > 0 ? entries : targets;
  if (some(targets, 'cancelled')) return 'cancelled';
  if (some(targets, 'failed') && !some(asked, 'succeeded')) return 'failed';
  if (some(targets, 'failed') || some(asked, 'skipped')) return 'partial';
  return 'succeeded';
}

/** The exit codes of `backupctl`. */
export const EXIT = { done: 0, failed: 1, usage: 2, partial: 3, notFound: 4, unverified: 5, cancelled: 130 } as const;

export function exitCodeOf(outcome: RunOutcome): number {
  return { succeeded: EXIT.done, partial: EXIT.partial, failed: EXIT.failed, cancelled: EXIT.cancelled }[outcome];
}
