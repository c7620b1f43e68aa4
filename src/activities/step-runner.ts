import { Context } from '@temporalio/activity';
import type { AttemptProgress, HeartbeatDetails } from '../domain/heartbeat.js';
import type { DestinationKind } from '../domain/target.js';
import type { ResumableStep } from '../steps/step.js';
import { toFailure, type FailureContext, type Interruption } from './failures.js';
import type { SlotDemand, Slots } from './slots.js';
import { errorOfEnding, lastWord, type StepLimits } from './step-errors.js';

export interface RunStepInput extends StepLimits {
  /** Where a copy goes, for whoever watches. */
  to?: DestinationKind;
  /** What it waits for before it begins; that time counts for none of its limits. */
  wait?: StepWait;
  redact: (text: string) => string;
  log: (line: string) => void;
}

export interface StepWait {
  slots: Slots;
  demands: readonly SlotDemand[];
  /** The target, for the log. */
  name: string;
}

/** Runs a long step as a Temporal activity: waits for its slots, heartbeats, ends it on cancellation, shutdown or stall, translates its error. */
export async function runStep<T>(input: RunStepInput, work: (step: ResumableStep) => Promise<T>): Promise<T> {
  const ctx = Context.current(); // not to be had in an abort listener
  const details = { ...lastDetails(ctx), now: startOf(ctx, input) };
  const ending = new AbortController();
  const failure: FailureContext = { redact: input.redact };
  const end = (reason: Interruption) => {
    failure.reason ??= reason;
    ending.abort();
  };
  const onCancel = () => end(whyEnded(ctx));
  ctx.cancellationSignal.addEventListener('abort', onCancel);
  let progressAtMs = Date.now();
  const pulse = setInterval(
    () => {
      ctx.heartbeat(details);
      if (details.now.waitsFor === undefined && Date.now() - progressAtMs >= input.stallTimeoutMs) end('stalled');
    },
    pulseMs(ctx, input.stallTimeoutMs),
  );
  const showBytes = (bytesDone: number) => {
    progressAtMs = Date.now();
    details.now = { ...details.now, bytesDone, atMs: progressAtMs };
  };
  const step: ResumableStep = {
    signal: ending.signal,
    isCancelled: () => failure.reason === 'cancelled',
    log: input.log,
    onProving() {
      details.now = { ...startOf(ctx, input), isProving: true };
    },
    onUnderWay: showBytes,
    onProgress(bytesDone) {
      showBytes(bytesDone);
      // What an earlier attempt had done already is a sign of life, but gets nobody any further.
      if (bytesDone > details.bytesDone) Object.assign(details, { bytesDone, movedAtMs: progressAtMs });
    },
  };
  const onWaiting = (demand: SlotDemand) => {
    details.now = { ...startOf(ctx, input), waitsFor: demand.setting };
    ctx.heartbeat(details);
  };
  let giveBack = () => {};
  let limit: NodeJS.Timeout | undefined;
  try {
    ctx.heartbeat(details);
    const askedAtMs = Date.now();
    giveBack = await takeSlots(input, ending.signal, onWaiting);
    progressAtMs = Date.now();
    details.movedAtMs += progressAtMs - askedAtMs;
    details.now = startOf(ctx, input);
    ctx.heartbeat(details);
    if (input.timeoutMs !== undefined) limit = setTimeout(() => end('timed-out'), input.timeoutMs);
    return await work(step);
  } catch (error) {
    ctx.heartbeat(details); // the next attempt is to know of the last bytes too
    throw toFailure(lastWord(errorOfEnding(failure.reason, input) ?? error, input, details), failure);
  } finally {
    giveBack();
    clearTimeout(limit);
    clearInterval(pulse);
    ctx.cancellationSignal.removeEventListener('abort', onCancel);
  }
}

async function takeSlots(
  { wait, log }: RunStepInput,
  signal: AbortSignal,
  onWaiting: (demand: SlotDemand) => void,
): Promise<() => void> {
  if (wait === undefined) return () => {};
  return wait.slots.take(wait.demands, {
    signal,
    onWaiting(demand) {
      log(`${wait.name}: waiting for a slot: ${demand.setting} of ${demand.of} is ${demand.limit}`);
      onWaiting(demand);
    },
  });
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
