import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { BackupError } from '../domain/errors.js';
import { WORKER_SHUTDOWN } from '../domain/task-queues.js';

/** Why an activity was told to end; `given-up`: the server waits for this attempt no longer (time-out, lost heartbeat). */
export type Interruption = 'worker-shutdown' | 'cancelled' | 'given-up' | 'stalled' | 'timed-out';

export interface FailureContext {
  reason?: Interruption;
  redact: (text: string) => string;
}

/** The one place where errors become Temporal's: secrets taken out, the hint on its line, retries only where they can help. */
export function toFailure(error: unknown, { reason, redact }: FailureContext): Error {
  if (reason === 'worker-shutdown')
    return ApplicationFailure.nonRetryable('its worker was told to end', WORKER_SHUTDOWN);
  if (reason === 'cancelled' || reason === 'given-up') return new CancelledFailure('cancelled');
  if (error instanceof BackupError) {
    const { text, code, retryable } = error;
    return ApplicationFailure.create({ message: redact(text), type: code, nonRetryable: !retryable });
  }
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  // Unknown errors carry texts of others: the name and message are kept, the stack and its cause are not.
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return ApplicationFailure.create({ message: redact(message), type: 'Failed', nonRetryable: false });
}

/** For short steps, which nothing interrupts. */
export async function translate<T>(work: () => Promise<T>, redact: (text: string) => string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFailure(error, { redact });
  }
}
