import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun, type TargetView } from '../../src/commands/run-view.js';
import type { HeartbeatDetails } from '../../src/domain/heartbeat.js';
import type { RunProgress } from '../../src/domain/steps.js';
import {
  SETTINGS,
  aPlan,
  aTarget,
  anArtifact,
  openStage,
  startRun,
  untilCancelled,
  withWorkers,
  type FakeActivities,
  type Stage,
} from '../support/workflow-workers.js';
import { waitFor } from '../support/wait-for.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** The one target of a run, once it is in a state; the run is then cancelled. */
async function targetOnce(
  fakes: FakeActivities,
  isReached: (row: TargetView) => boolean,
  changes: Parameters<typeof aPlan>[1] = {},
): Promise<TargetView> {
  // A fake beats once: on a busy machine its first attempt must not be over before anybody looked.
  const settings = { ...SETTINGS, heartbeatTimeoutMs: 60_000 };
  const orchestrator = { planRun: () => Promise.resolve(aPlan(['mordor'], { settings, ...changes })) };
  return withWorkers(stage, { ...fakes, orchestrator }, async () => {
    const { client } = stage;
    const handle = await startRun(stage);
    const found = await waitFor('the state', async () => {
      const { targets } = await readRun({ client, handle, description: await handle.describe() });
      return targets.find(isReached);
    });
    await handle.cancel();
    await handle.result().catch(() => undefined);
    return found;
  });
}

/** A capture whose first attempt fails once its heartbeat was seen, by whoever is `watching`: the server then hands it on. */
function failingOnceSeen() {
  let seen: () => void = () => undefined;
  const isSeen = new Promise<void>((resolve) => (seen = resolve));
  const captureTarget = async () => {
    const { heartbeat, info } = Context.current();
    if (info.attempt > 1) return untilCancelled();
    heartbeat({ bytesDone: 9, movedAtMs: 1, now: { attempt: 1, bytesDone: 9, atMs: 1 } } satisfies HeartbeatDetails);
    await isSeen;
    throw ApplicationFailure.retryable('cannot reach x: because it is away');
  };
  const watching = (isReached: (row: TargetView) => boolean) => (row: TargetView) => {
    if (row.step?.progress !== undefined) seen();
    return isReached(row);
  };
  return { host: { captureTarget }, watching };
}

describe('a step that is not over', () => {
  it('tells the bytes of its heartbeat, when it was started, and where a copy goes', async () => {
    const details: HeartbeatDetails = {
      ...{ bytesDone: 9, movedAtMs: 1 },
      now: { attempt: 1, bytesDone: 7, atMs: 2, to: 's3' },
    };
    const copyArtifact = () => {
      const ctx = Context.current();
      const pulse = setInterval(() => ctx.heartbeat(details), 100);
      return ctx.cancelled.finally(() => clearInterval(pulse));
    };
    const row = await targetOnce({ host: { copyArtifact } }, ({ step }) => step?.progress !== undefined, {
      destinations: ['local', 's3'],
    });
    const startedAt = expect.any(Date) as Date;
    expect(row).toMatchObject({
      phase: 'copying',
      step: {
        activity: 'copyArtifact',
        state: 'running',
        taskQueue: 'backup-default',
        startedAt,
        progress: details.now,
      },
    });
  });

  it('tells why an attempt failed and when the next one is due, and not the bytes of the one before', async () => {
    const first = failingOnceSeen();
    const settings = { ...SETTINGS, retryDelayMs: 60_000 };
    const isRetrying = first.watching(({ step }) => step?.state === 'retrying');
    const failed = await targetOnce({ host: first.host }, isRetrying, { settings });
    const failure = 'cannot reach x: because it is away';
    expect(failed.step).toMatchObject({ attempt: 2, failure, nextAttemptAt: expect.any(Date) as Date });
    const other = failingOnceSeen();
    const isAgain = other.watching(({ step }) => step?.attempt === 2 && step.state === 'running');
    const again = await targetOnce({ host: other.host }, isAgain);
    expect(again.step).toMatchObject({ failure });
    expect(again.step?.progress).toBeUndefined();
  });

  it('tells that no worker is there that would take it', async () => {
    const targets = [{ ...aTarget('mordor'), host: 'nowhere' }];
    const row = await targetOnce({}, ({ step }) => step !== undefined, { targets });
    expect(row.step).toMatchObject({ activity: 'captureTarget', state: 'unpolled', taskQueue: 'backup-nowhere' });
  });
});

describe('a target that has ended', () => {
  it('is not shown at work again by a run that has not heard of it yet', async () => {
    const { client } = stage;
    const ended = await withWorkers(stage, {}, async () => {
      const started = await startRun(stage);
      await started.result();
      return started;
    });
    const before: RunProgress = { targets: [{ target: 'mordor', kind: 'database', phase: 'capturing' }] };
    const handle = Object.assign(Object.create(ended) as typeof ended, { query: () => Promise.resolve(before) });
    const { targets } = await readRun({ client, handle, description: await ended.describe() });
    expect(targets).toEqual([{ target: 'mordor', kind: 'database', phase: 'done' }]);
  });
});

describe('a run whose workers are gone', () => {
  it('is known by its steps, which Temporal knows', async () => {
    const { client } = stage;
    const host = { captureTarget: (input: Parameters<typeof anArtifact>[0]) => Promise.resolve(anArtifact(input)) };
    const handle = await withWorkers(stage, { host, withHost: false }, async () => {
      const started = await startRun(stage);
      await waitFor('a child', async () => ((await started.describe()).raw.pendingChildren ?? []).length > 0);
      await waitFor(
        'its step',
        async () =>
          (await readRun({ client, handle: started, description: await started.describe() })).targets[0]?.step,
      );
      return started;
    });
    const view = await readRun({ client, handle, description: await handle.describe() });
    expect(view).toMatchObject({
      answered: false,
      targets: [{ target: 'mordor', kind: 'database', phase: 'capturing' }],
    });
    await handle.terminate();
  });
});
