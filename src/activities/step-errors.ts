import { BackupError } from '../domain/errors.js';
import type { HeartbeatDetails } from '../domain/heartbeat.js';
import { durationText } from '../domain/quantities.js';
import type { Interruption } from './failures.js';

/** What a step is held to. */
export interface StepLimits {
  /** `capture mordor`, for messages. */
  doing: string;
  /** The step is ended when no byte moved for so long. */
  stallTimeoutMs: number;
  /** The step is ended after this. Absent: Temporal ends it. */
  timeoutMs?: number | undefined;
  /** The step is given up when no attempt got any further for so long. Default: only their number counts. */
  retryForMs?: number;
}

/** The error itself, or that no attempt follows: the next run's copies catch up. */
export function lastWord(error: unknown, { doing, retryForMs }: StepLimits, { movedAtMs }: HeartbeatDetails): unknown {
  const isFinal = error instanceof BackupError && !error.retryable;
  if (isFinal || retryForMs === undefined || Date.now() - movedAtMs < retryForMs) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `cannot ${doing}: because no byte was accepted for ${retryForMs / 1000} s: ${reason}`;
  const hint = 'the artifact is kept here; the next run copies it too';
  return new BackupError('Stalled', message, { hint, retryable: false });
}

/** Of a step that was ended here, whose own error says only that. */
export function errorOfEnding(
  reason: Interruption | undefined,
  { doing, stallTimeoutMs, timeoutMs = 0 }: StepLimits,
): BackupError | undefined {
  if (reason === 'stalled')
    return new BackupError('Stalled', `cannot ${doing}: because no byte moved for ${stallTimeoutMs / 1000} s`);
  if (reason !== 'timed-out') return undefined;
  return new BackupError(
    'TimedOut',
    `cannot ${doing}: because it took longer than its \`timeout\`, ${durationText(timeoutMs)}`,
  );
}
