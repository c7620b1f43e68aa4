import { BackupError } from '../domain/errors.js';

/** What to throw after `signal` aborted: its reason where that is meant for people (a stall), else Cancelled. */
export function abortError(signal: AbortSignal): BackupError {
  const reason: unknown = signal.reason;
  if (reason instanceof BackupError) return reason;
  return new BackupError('Cancelled', 'cannot go on: because it was cancelled', { cause: reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}
