import { Context } from '@temporalio/activity';
import { BackupError } from '../domain/errors.js';
import type { StepContext } from '../steps/step.js';
import { toFailure, type FailureContext, type Interruption } from './failures.js';

/** What a heartbeat carries, and what the next attempt is handed. */
export interface HeartbeatDetails {
  bytesDone: number;
  /** When bytes moved last, over all attempts; milliseconds since the epoch. */
  movedAtMs: number;
}

export interface RunStepInput {
  /** `capture mordor`, for messages. */
  doing: string;
  /** The step is ended when no byte moved for so long. */
  stallTimeoutMs: number;
  redact: (text: string) => string;
  log: (line: string) => void;
}

/** Runs a long step as a Temporal activity: heartbeats, ends it on cancellation, shutdown or stall, and translates its error. */
export async function runStep<T>(
  input: RunStepInput,
  work: (step: StepContext, last: HeartbeatDetails) => Promise<T>,
): Promise<T> {
  const ctx = Context.current(); // not to be had in an abort listener
  const details = lastDetails(ctx);
  const ending = new AbortController();
  const failure: FailureContext = { redact: input.redact };
  const onCancel = () => {
    failure.reason ??= whyEnded(ctx);
    ending.abort();
  };
  ctx.cancellationSignal.addEventListener('abort', onCancel);
  let progressAtMs = Date.now();
  const pulse = setInterval(
    () => {
      ctx.heartbeat(details);
      if (Date.now() - progressAtMs < input.stallTimeoutMs) return;
      failure.reason ??= 'stalled';
      failure.stall = stalled(input);
      ending.abort();
    },
    pulseMs(ctx, input.stallTimeoutMs),
  );
  const step: StepContext = {
    signal: ending.signal,
    log: input.log,
    onProgress(bytesDone) {
      progressAtMs = Date.now();
      Object.assign(details, { bytesDone, movedAtMs: progressAtMs });
    },
  };
  try {
    ctx.heartbeat(details);
    return await work(step, { ...details });
  } catch (error) {
    throw toFailure(error, failure);
  } finally {
    clearInterval(pulse);
    ctx.cancellationSignal.removeEventListener('abort', onCancel);
  }
}

function whyEnded({ cancellationDetails, cancellationSignal }: Context): Interruption {
  if (cancellationDetails?.cancelRequested) return 'cancelled';
  const reason: unknown = cancellationSignal.reason;
  return reason instanceof Error && reason.message === 'WORKER_SHUTDOWN' ? 'worker-shutdown' : 'given-up';
}

function lastDetails({ info }: Context): HeartbeatDetails {
  const last = info.heartbeatDetails as HeartbeatDetails | undefined;
  return { bytesDone: 0, movedAtMs: last?.movedAtMs ?? info.scheduledTimestampMs };
}

function pulseMs({ info }: Context, stallTimeoutMs: number): number {
  const heartbeatMs = info.heartbeatTimeoutMs ?? 60_000;
  return Math.max(50, Math.min(heartbeatMs / 4, stallTimeoutMs / 4, 10_000));
}

function stalled({ doing, stallTimeoutMs }: RunStepInput): BackupError {
  return new BackupError('Stalled', `cannot ${doing}: because no byte moved for ${stallTimeoutMs / 1000} s`);
}
