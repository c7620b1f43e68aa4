import type { RunOutcome, TargetOutcome } from '../domain/outcome.js';
import type { TargetKind } from '../domain/target.js';
import { failureOf, lastVerified, type Verification, type VerificationOutcome } from '../domain/verification.js';
import { STEPS, type Attempts } from './attempts.js';
import type { MetricName, Sample } from './definitions.js';
import { historyKey, type Dated, type RunHistory, type TargetHistory } from './run-history.js';
import type { ScheduleFacts } from './schedule-facts.js';

const TARGET_OUTCOMES: readonly TargetOutcome[] = ['succeeded', 'failed', 'skipped', 'cancelled'];
const RUN_OUTCOMES: readonly RunOutcome[] = ['succeeded', 'partial', 'failed', 'cancelled'];

const VERIFICATION_OUTCOMES: readonly VerificationOutcome[] = ['verified', 'failed', 'unverified'];

const NEVER: Partial<TargetHistory> = {};

/** A target of the configuration, whether it can be resolved or not. */
export interface ShownTarget {
  target: string;
  kind: TargetKind;
  host: string;
}

/** One that never succeeded is shown with 0, so that an alert on the age of the last success fires for it too. */
export function targetSamples(
  targets: readonly ShownTarget[],
  history: RunHistory,
  verifications: ReadonlyMap<string, Verification> = new Map(),
): Sample[] {
  return targets.flatMap(({ target, kind, host }) => {
    const key = historyKey({ target, kind });
    const { success, verified, sizeBytes, durationMs, outcome } = history.targets.get(key) ?? NEVER;
    const labels = { target, kind, host };
    return [
      { name: 'backup_last_success_timestamp_seconds', labels, value: seconds(success) },
      {
        name: 'backup_last_verified_timestamp_seconds',
        labels,
        value: lastVerifiedAt(verified, verifications.get(key)),
      },
      ...verificationSamples(labels, verifications.get(key)),
      ...(sizeBytes === undefined ? [] : [{ name: 'backup_last_size_bytes', labels, value: sizeBytes.value } as const]),
      ...(durationMs === undefined
        ? []
        : [{ name: 'backup_last_duration_seconds', labels, value: durationMs.value / 1000 } as const]),
      ...TARGET_OUTCOMES.map((o) => oneOf('backup_last_outcome', labels, o, outcome?.value)),
    ];
  });
}

export function runSamples(service: string, { lastRun }: RunHistory, ended: Record<RunOutcome, number>): Sample[] {
  const labels = { service };
  return [
    { name: 'backup_last_run_timestamp_seconds', labels, value: seconds(lastRun) },
    ...RUN_OUTCOMES.map((outcome) => oneOf('backup_last_run_outcome', labels, outcome, lastRun?.value)),
    ...RUN_OUTCOMES.map((outcome): Sample => ({
      name: 'backup_runs_total',
      labels: { ...labels, outcome },
      value: ended[outcome],
    })),
  ];
}

/** Counters begin at 0, since an increase from nothing is none. */
export function attemptSamples(targets: readonly ShownTarget[], attempts: Attempts): Sample[] {
  return [
    { name: 'backup_running_targets', labels: {}, value: attempts.runningTargets },
    ...targets.flatMap(({ target }): Sample[] => [
      ...STEPS.map((step): Sample => ({
        name: 'backup_failed_attempts_total',
        labels: { target, step },
        value: attempts.failedOf(target, step),
      })),
      { name: 'backup_stalled_attempts_total', labels: { target }, value: attempts.stalledOf(target) },
    ]),
  ];
}

export function scheduleSamples(schedules: readonly ScheduleFacts[]): Sample[] {
  return schedules.flatMap(({ cron, starts, paused, missedCount, skippedCount, next }): Sample[] => {
    const labels = { schedule: cron, starts };
    return [
      { name: 'backup_schedule_missed_total', labels, value: missedCount },
      { name: 'backup_schedule_skipped_total', labels, value: skippedCount },
      { name: 'backup_schedule_paused', labels, value: paused ? 1 : 0 },
      ...(next === undefined
        ? []
        : [{ name: 'backup_schedule_next_timestamp_seconds', labels, value: next.getTime() / 1000 } as const]),
    ];
  });
}

/** The capture's own proof, or a later verification. Seconds. */
function lastVerifiedAt(captured: Dated<true> | undefined, verification: Verification | undefined): number {
  const later = Date.parse(lastVerified(verification)?.verifiedAt ?? '');
  return Math.max(seconds(captured), Number.isNaN(later) ? 0 : later / 1000);
}

function verificationSamples(labels: Sample['labels'], verification: Verification | undefined): Sample[] {
  const { read, drill } = verification?.results ?? {};
  const current = (failureOf(verification) ?? drill ?? read)?.outcome;
  if (current === undefined) return [];
  return [
    ...VERIFICATION_OUTCOMES.map((o) => oneOf('backup_last_verification_outcome', labels, o, current)),
    ...(drill?.restoreMs === undefined
      ? []
      : [{ name: 'backup_restore_duration_seconds', labels, value: drill.restoreMs / 1000 } as const]),
  ];
}

function seconds(dated: Dated<unknown> | undefined): number {
  return (dated?.atMs ?? 0) / 1000;
}

function oneOf(name: MetricName, labels: Sample['labels'], outcome: string, current: string | undefined): Sample {
  return { name, labels: { ...labels, outcome }, value: outcome === current ? 1 : 0 };
}
