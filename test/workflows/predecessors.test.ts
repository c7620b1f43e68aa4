import { readdir } from 'node:fs/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HeartbeatDetails } from '../../src/domain/heartbeat.js';
import type { PendingStep } from '../../src/domain/pending-step.js';
import { pendingSteps } from '../../src/temporal/pending-steps.js';
import { workersDirectory } from '../../src/worker/attempt-record.js';
import { endLeftAttempts } from '../../src/worker/predecessors.js';
import { A_RECORD, leaveDeadWorker } from '../support/dead-worker.js';
import { testDirectory } from '../support/volume-attempt.js';
import { waitFor } from '../support/wait-for.js';
import { SETTINGS, aPlan, openStage, startRun, withWorkers, type Stage } from '../support/workflow-workers.js';

type Info = Context['info'];

/** Nobody but a successor can end an attempt before the test is over, nor begin the next one. */
const NEVER_LOST = { ...SETTINGS, heartbeatTimeoutMs: 600_000, retryDelayMs: 600_000, attempts: 9 };
const TOLD: HeartbeatDetails = { bytesDone: 9, movedAtMs: 1 };
const log = pino({ enabled: false });

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

interface Capture {
  /** Waits for that attempt to be begun, and to be heard of. */
  attempt(number: number): Promise<Info>;
  /** What the server knows of it. */
  step(): Promise<PendingStep | undefined>;
}

/** A capture whose attempts go on for ever. */
async function withHeldCapture(use: (capture: Capture) => Promise<void>): Promise<void> {
  const attempts: Info[] = [];
  const captureTarget = async () => {
    const ctx = Context.current();
    attempts.push(ctx.info);
    const pulse = setInterval(() => ctx.heartbeat(TOLD), 100);
    return ctx.cancelled.finally(() => clearInterval(pulse));
  };
  const planRun = () => Promise.resolve(aPlan(['mordor'], { settings: NEVER_LOST }));
  await withWorkers(stage, { host: { captureTarget }, orchestrator: { planRun } }, async () => {
    const run = await startRun(stage);
    const describeTarget = () =>
      stage.client.workflow.getHandle(attempts[0]?.workflowExecution?.workflowId ?? '').describe();
    try {
      await use({
        async attempt(number) {
          const info = await waitFor(`attempt ${String(number)}`, () => attempts[number - 1]);
          await waitFor(
            'its heartbeat',
            async () => (await describeTarget()).raw.pendingActivities?.[0]?.heartbeatDetails,
          );
          return info;
        },
        step: async () => (await pendingSteps(stage.client, await describeTarget()))[0],
      });
    } finally {
      await run.cancel();
      await run.result().catch(() => undefined);
    }
  });
}

function recordOf({ namespace, attempt, base64TaskToken: taskToken }: Info, startedAt = new Date().toISOString()) {
  return { namespace, attempt, taskToken, startedAt };
}

/** A server that is away, since a real one would be waited for; and what it was asked. */
function awayServer() {
  const asked: unknown[] = [];
  const client = {
    options: { namespace: A_RECORD.namespace },
    withDeadline: <T>(_at: number, ask: () => T) => ask(),
    activity: { fail: (token: unknown) => (asked.push(token), Promise.reject(new Error('away'))) },
  } as unknown as Client;
  return { client, asked };
}

describe('an attempt of a worker that died', () => {
  it('is ended, so that the next one begins at once, but not again and again where it lives shortly', async () => {
    const root = await testDirectory();
    await withHeldCapture(async ({ attempt, step }) => {
      const input = { root, client: stage.client, log };
      const first = await attempt(1);
      await leaveDeadWorker(root, [recordOf(first)]);
      await endLeftAttempts(input);
      const second = await attempt(2);
      expect(second).toMatchObject({ attempt: 2, heartbeatDetails: TOLD });
      expect(await readdir(workersDirectory(root))).toEqual([]);

      await leaveDeadWorker(root, [recordOf(first)]); // whose place is taken
      await endLeftAttempts(input);
      expect(await readdir(workersDirectory(root))).toEqual([]);
      expect(await step()).toMatchObject({ attempt: 2, state: 'running' });

      await leaveDeadWorker(root, [recordOf(second)]);
      await endLeftAttempts(input);
      await leaveDeadWorker(root, [recordOf(await attempt(3), A_RECORD.startedAt)]);
      await endLeftAttempts(input);
      await leaveDeadWorker(root, [recordOf(await attempt(4))]);
      await endLeftAttempts(input);
      const failure = 'its worker died';
      const fifth = await waitFor('the fifth to be planned', async () => {
        const now = await step();
        return now?.state === 'retrying' ? now : undefined;
      });
      expect(fifth).toMatchObject({ attempt: 5, failure });
      expect(fifth.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now() + 60_000);
    });
  });

  it('is kept for the next look while the server does not answer, but not for ever', async () => {
    const root = await testDirectory();
    await leaveDeadWorker(root, [{}]);
    const { client, asked } = awayServer();
    const looks = new Map<string, number>();
    await endLeftAttempts({ root, client, log }, looks);
    expect(asked).toEqual([Buffer.from(A_RECORD.taskToken, 'base64')]);
    expect(await readdir(workersDirectory(root))).toHaveLength(1);
    for (let look = 2; look <= 30; look++) await endLeftAttempts({ root, client, log }, looks);
    expect(await readdir(workersDirectory(root))).toEqual([]);
  });

  it('of another namespace is not told to this one', async () => {
    const root = await testDirectory();
    await leaveDeadWorker(root, [{ namespace: 'another' }]);
    const { client, asked } = awayServer();
    await endLeftAttempts({ root, client, log });
    expect(asked).toEqual([]);
    expect(await readdir(workersDirectory(root))).toHaveLength(1);
  });
});
