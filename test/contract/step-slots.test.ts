import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { Slots, type SlotDemand } from '../../src/activities/slots.js';
import { runStep, type RunStepInput } from '../../src/activities/step-runner.js';
import type { HeartbeatDetails } from '../../src/domain/heartbeat.js';
import type { ResumableStep } from '../../src/steps/step.js';
import { waitFor } from '../support/wait-for.js';

const SOON_MS = 200;
const DEMAND: SlotDemand = { setting: 'copy_slots', of: 's3', limit: 1 };
const HELD = { signal: new AbortController().signal, onWaiting: () => undefined };

/** A step whose one slot is taken until `giveBack`. */
async function aWaitingStep(changes: Partial<RunStepInput> = {}, heartbeatDetails?: HeartbeatDetails) {
  const slots = new Slots();
  const giveBack = await slots.take([DEMAND], HELD);
  const info = heartbeatDetails === undefined ? {} : { heartbeatDetails };
  const env = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  const beats: HeartbeatDetails[] = [];
  const lines: string[] = [];
  env.on('heartbeat', (details: HeartbeatDetails) => beats.push(structuredClone(details)));
  const input: RunStepInput = {
    ...{ doing: 'copy mordor to s3', stallTimeoutMs: 60_000, redact: (text) => text, log: (line) => lines.push(line) },
    wait: { slots, demands: [DEMAND], name: 'mordor' },
    ...changes,
  };
  const start = (work: (step: ResumableStep) => Promise<unknown>) => env.run(() => runStep(input, work));
  const untilWaiting = () => waitFor('the wait', () => beats.at(-1)?.now?.waitsFor !== undefined);
  return { env, slots, giveBack, beats, lines, start, untilWaiting };
}

const untilAborted = ({ signal }: ResumableStep) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

/** Waits for longer than a limit of the step. */
async function longerThan(limitMs: number, beats: unknown[]): Promise<void> {
  const sinceMs = Date.now();
  const before = beats.length;
  await waitFor('more beats than the limit', () => Date.now() - sinceMs > 2 * limitMs && beats.length > before + 1);
}

describe('a step that waits for a slot', () => {
  it('says so once in the log, and in its heartbeats until it has one', async () => {
    const { start, untilWaiting, giveBack, beats, lines } = await aWaitingStep({ stallTimeoutMs: SOON_MS });
    const done = start(() => Promise.resolve('done'));
    await untilWaiting();
    await longerThan(SOON_MS / 4, beats);
    giveBack();
    expect(await done).toBe('done');
    expect(lines).toEqual(['mordor: waiting for a slot: copy_slots of s3 is 1']);
    expect(beats.at(-1)?.now).not.toHaveProperty('waitsFor');
  });

  it('is not stalled, and has its whole time when it begins', async () => {
    const limits = { stallTimeoutMs: SOON_MS, timeoutMs: SOON_MS };
    const { start, untilWaiting, giveBack, beats } = await aWaitingStep(limits);
    const done = start(({ signal }) => Promise.resolve(signal.aborted));
    await untilWaiting();
    await longerThan(SOON_MS, beats);
    giveBack();
    expect(await done).toBe(false);
  });

  it('loses none of the time that a copy is tried for', async () => {
    const movedAtMs = Date.now();
    const { start, untilWaiting, giveBack, beats } = await aWaitingStep(
      { retryForMs: SOON_MS },
      { bytesDone: 5, movedAtMs },
    );
    const failed = start(() => Promise.reject(new Error('away'))).catch((error: unknown) => error);
    await untilWaiting();
    await longerThan(SOON_MS, beats);
    giveBack();
    await failed;
    expect(beats.at(-1)?.movedAtMs).toBeGreaterThanOrEqual(movedAtMs + 2 * SOON_MS);
  });

  it('ends at once when it is cancelled, and takes nothing', async () => {
    const { env, start, untilWaiting, giveBack, slots } = await aWaitingStep();
    const failed = start(() => Promise.reject(new Error('it has begun'))).catch((error: unknown) => error);
    await untilWaiting();
    env.cancel();
    expect(await failed).toBeInstanceOf(CancelledFailure);
    giveBack();
    await slots.take([DEMAND], HELD);
  });
});

describe('a step that has its slot', () => {
  it('gives it back however it ends', async () => {
    const { start, giveBack } = await aWaitingStep();
    giveBack();
    await expect(start(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await start(() => Promise.resolve('yes'))).toBe('yes');
    expect(await start(() => Promise.resolve('again'))).toBe('again');
  });

  it('is ended and tried again when it takes longer than its `timeout`', async () => {
    const { start, giveBack } = await aWaitingStep({ timeoutMs: SOON_MS });
    giveBack();
    await expect(start(untilAborted)).rejects.toMatchObject({
      ...{ type: 'TimedOut', nonRetryable: false },
      message: 'cannot copy mordor to s3: because it took longer than its `timeout`, 200ms',
    });
  });
});
