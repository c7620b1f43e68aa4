import type { RunSettings } from './run.js';
import type { DestinationKind, TargetKind } from './target.js';
import type { DrillResult, VerificationMethod, VerificationOutcome } from './verification.js';

/** What a schedule of verifications starts. */
export interface VerifyRunInput {
  /** Targets whose `verify` names it are verified. */
  cron: string;
}

/** What is verified: the newest artifact of a target in one destination, or that of a run. */
export interface VerifyTargetInput {
  service: string;
  target: string;
  kind: TargetKind;
  /** Absent: the newest. */
  run?: string;
  method: VerificationMethod;
  from: DestinationKind;
  stallTimeoutMs: number;
  /** The longest that one attempt may take. Absent in histories of 0.1: Temporal ends it. */
  timeoutMs?: number;
}

export interface PlannedVerification {
  target: string;
  kind: TargetKind;
  host: string;
  method: VerificationMethod;
  from: DestinationKind;
  timeoutMs: number;
}

export interface VerifyPlan {
  service: string;
  settings: Omit<RunSettings, 'deadlineMs'>;
  targets: PlannedVerification[];
  /** Whether the namespace has the search attributes. */
  searchAttributes: boolean;
}

/** What a verification by the worker came to. */
export interface VerifyTargetResult extends DrillResult {
  target: string;
  kind: TargetKind;
  method: VerificationMethod;
  /** Where it lies; absent where there is none. */
  location?: string;
  durationMs: number;
}

export interface VerifyReport {
  outcome: VerificationOutcome;
  targets: VerifyTargetResult[];
}

/** `failed` where one failed, `unverified` where any other is not verified. */
export function verifyOutcome(targets: readonly Pick<VerifyTargetResult, 'outcome'>[]): VerificationOutcome {
  const some = (outcome: VerificationOutcome) => targets.some((t) => t.outcome === outcome);
  if (some('failed')) return 'failed';
  return some('unverified') ? 'unverified' : 'verified';
}

/** For people: `mordor failed its drill: …`. */
export function verdictText({ target, method, outcome, reason }: VerifyTargetResult): string {
  const how = method === 'drill' ? 'drill' : 'verification';
  if (outcome === 'verified') return `${target} passed its ${how}`;
  if (outcome === 'failed') return `${target} failed its ${how}: ${reason ?? ''}`;
  return `${target} is unverified: ${reason ?? ''}`;
}
