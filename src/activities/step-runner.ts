import { Context } from '@temporalio/activity';
import { BackupError } from '../domain/errors.js';
import type { AttemptProgress, HeartbeatDetails } from '../domain/heartbeat.js';
import type { DestinationKind } from '../domain/target.js';
import type { ResumableStep } from '../steps/step.js';
import { toFailure, type FailureContext, type Interruption } from './failures.js';

export interface RunStepInput {
  /** `capture mordor`, for messages. */
  doing: string;
  /** Where a copy goes, for whoever watches. */
  to?: DestinationKind;
  /** The step is ended when no byte moved for so long. */
  stallTimeoutMs: number;
  /** The step is given up when no attempt got any further for so long. Default: only their number counts. */
  retryForMs?: number;
  redact: (text: string) => string;
  log: (line: string) => void;
}

/** Runs a long step as a Temporal activity: heartbeats, ends it on cancellation, shutdown or stall, and translates its error. */
export async function runStep<T>(input: RunStepInput, work: (step: ResumableStep) => Promise<T>): Promise<T> {
  const ctx = Context.current(); // not to be had in an abort listener
  const details = { ...lastDetails(ctx), now: startOf(ctx, input) };
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
      ending.abort();
    },
    pulseMs(ctx, input.stallTimeoutMs),
  );
  const step: ResumableStep = {
    signal: ending.signal,
    isCancelled: () => failure.reason === 'cancelled',
    log: input.log,
    onProving() {
      details.now = { ...startOf(ctx, input), isProving: true };
    },
    onProgress(bytesDone) {
      progressAtMs = Date.now();
      details.now = { ...details.now, bytesDone, atMs: progressAtMs };
      // What an earlier attempt had done already is a sign of life, but gets nobody any further.
      if (bytesDone > details.bytesDone) Object.assign(details, { bytesDone, movedAtMs: progressAtMs });
    },
  };
  try {
    ctx.heartbeat(details);
    return await work(step);
  } catch (error) {
    ctx.heartbeat(details); // the next attempt is to know of the last bytes too
    throw toFailure(lastWord(failure.reason === 'stalled' ? stalled(input) : error, input, details), failure);
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
  return last ?? { bytesDone: 0, movedAtMs: Date.now() };
}

function startOf({ info: { attempt } }: Context, { to }: RunStepInput): AttemptProgress {
  return { attempt, bytesDone: 0, atMs: Date.now(), ...(to !== undefined && { to }) };
}

function pulseMs({ info }: Context, stallTimeoutMs: number): number {
  const heartbeatMs = info.heartbeatTimeoutMs ?? 60_000;
  return Math.max(50, Math.min(heartbeatMs / 4, stallTimeoutMs / 4, 5_000));
}

/** The error itself, or that no attempt follows: the next run's copies catch up. */
function lastWord(error: unknown, { doing, retryForMs }: RunStepInput, { movedAtMs }: HeartbeatDetails): unknown {
  const isFinal = error instanceof BackupError && !error.retryable;
  if (isFinal || retryForMs === undefined || Date.now() - movedAtMs < retryForMs) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `cannot ${doing}: because no byte was accepted for ${retryForMs / 1000} s: ${reason}`;
  const hint = 'the artifact is kept here; the next run copies it too';
  return new BackupError('Stalled', message, { hint, retryable: false });
}

function stalled({ doing, stallTimeoutMs }: RunStepInput): BackupError {
  return new BackupError('Stalled', `cannot ${doing}: because no byte moved for ${stallTimeoutMs / 1000} s`);
}
