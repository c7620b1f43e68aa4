import type { PendingStep } from '../domain/pending-step.js';
import { formatBytes, formatSeconds } from './format.js';
import { firstLine } from './printable.js';

/** What people call the steps of a run, as a verb and while they go on; others are too short to be shown. */
const WORDS: Record<string, { verb: string; ongoing: string }> = {
  captureTarget: { verb: 'capture', ongoing: 'capturing' },
  copyArtifact: { verb: 'copy', ongoing: 'copying' },
  verifyTarget: { verb: 'verify', ongoing: 'verifying' },
  planRestore: { verb: 'plan', ongoing: 'planning' },
  restoreTarget: { verb: 'restore', ongoing: 'restoring' },
  planRun: { verb: 'plan', ongoing: 'planning' },
  pruneDestination: { verb: 'prune', ongoing: 'pruning' },
  reportRun: { verb: 'report', ongoing: 'reporting' },
};

export function isShown({ activity }: PendingStep): boolean {
  return activity in WORDS;
}

/** `capture`, `copy to s3`. */
function doing({ activity, progress }: PendingStep): string {
  return `${WORDS[activity]?.verb ?? activity}${progress?.to === undefined ? '' : ` to ${progress.to}`}`;
}

/** `capturing`, `proving`, `copying to s3`, `cancelling`. */
export function phaseText(step: PendingStep): string {
  if (step.state === 'cancelling') return 'cancelling';
  if (step.progress?.isProving) return 'proving';
  return `${WORDS[step.activity]?.ongoing ?? step.activity}${step.progress?.to === undefined ? '' : ` to ${step.progress.to}`}`;
}

/** Why a step does not go on, where it does not. */
export function standstill(step: PendingStep, nowMs: number): string | undefined {
  switch (step.state) {
    case 'unpolled':
      return `no worker polls ${step.taskQueue}`;
    case 'queued':
      return `waiting for a free worker on ${step.taskQueue}`;
    case 'retrying':
      return `waiting ${formatSeconds(msUntil(step, nowMs))} for attempt ${step.attempt} of ${doing(step)}${reason(step)}`;
    default:
      return step.progress?.waitsFor === undefined ? undefined : `waiting for a slot (${step.progress.waitsFor})`;
  }
}

export interface Measures {
  bytes: string;
  rate: string;
  elapsed: string;
}

/** What is not known is empty. */
export function measures({ progress, startedAt }: PendingStep, nowMs: number, rate?: number): Measures {
  const bytesDone = progress?.bytesDone ?? 0; // 0: nothing was told yet
  return {
    bytes: bytesDone === 0 ? '' : formatBytes(bytesDone),
    rate: rate === undefined ? '' : `${formatBytes(Math.round(rate))}/s`,
    elapsed: startedAt === undefined ? '' : formatSeconds(Math.max(0, nowMs - startedAt.getTime())),
  };
}

/** What a log of the run's progress says of a step in trouble: of each attempt that failed, and of a worker that is missing. */
export function notices(step: PendingStep, nowMs: number): { key: string; text: string }[] {
  const found: { key: string; text: string }[] = [];
  if (step.failure !== undefined && step.attempt > 1) {
    const waitMs = msUntil(step, nowMs);
    const next = waitMs > 0 ? `next in ${formatSeconds(waitMs)}` : 'trying again';
    const text = `${doing(step)} attempt ${step.attempt - 1} failed, ${next}${reason(step)}`;
    found.push({ key: `attempt ${step.attempt}`, text });
  }
  if (step.state === 'unpolled') found.push({ key: 'unpolled', text: `no worker polls ${step.taskQueue}` });
  return found;
}

function reason({ failure }: PendingStep): string {
  return failure === undefined ? '' : `: ${firstLine(failure)}`;
}

/** Rounded up: "0 s" would be said of what is not due yet. */
function msUntil({ nextAttemptAt }: PendingStep, nowMs: number): number {
  return nextAttemptAt === undefined ? 0 : 1000 * Math.ceil(Math.max(0, nextAttemptAt.getTime() - nowMs) / 1000);
}
