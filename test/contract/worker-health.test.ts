import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { unhealthyReasons } from '../../src/metrics/worker-health.js';
import { createNamespace } from '../support/temporal-namespace.js';
import { waitFor } from '../support/wait-for.js';
import {
  aPlan,
  anArtifact,
  ending,
  openStage,
  startRun,
  withWorkers,
  type Stage,
} from '../support/workflow-workers.js';

let stage: Stage;
/** Asks in a namespace where no worker ever polled. */
let elsewhere: Client;
beforeAll(async () => {
  stage = await openStage();
  const namespace = `health-${randomBytes(4).toString('hex')}`;
  await createNamespace(inject('temporal').address, namespace);
  elsewhere = new Client({ connection: stage.client.connection, namespace });
});
afterAll(() => stage.close());

type Capture = Parameters<typeof anArtifact>[0];

/** A worker of the default host with one slot. */
function createHost(identity: string, captureTarget = (input: Capture) => Promise.resolve(anArtifact(input))) {
  const { connection, namespace } = stage;
  const [taskQueue, slots] = ['backup-default', { maxConcurrentActivityTaskExecutions: 1 }];
  const activities = { captureTarget, pruneDestination: () => Promise.resolve({ removedCount: 0, warnings: [] }) };
  return Worker.create({ connection, namespace, taskQueue, identity, activities, ...slots });
}

it('a worker is healthy from its first polls on, as long as it runs', async () => {
  const worker = await createHost('mine');
  const reasons = () => unhealthyReasons({ client: stage.client, workers: [worker] });
  expect(await reasons()).toEqual(['the worker of backup-default is INITIALIZED']);
  await worker.runUntil(() => waitFor('the worker to be heard of', async () => (await reasons()).length === 0));
  expect(await reasons()).toEqual(['the worker of backup-default is STOPPED']);
});

it('a worker that the server has not heard of is not healthy, whoever else polls its queue', async () => {
  const others = await createHost('others');
  // Two on one queue are refused within a process; this one runs as far as it knows itself, and its polls reach nobody.
  const mine = Object.create(others, { options: { value: { ...others.options, identity: 'silent' } } }) as Worker;
  const reasonsOf = (worker: Worker) => unhealthyReasons({ client: stage.client, workers: [worker] });
  await others.runUntil(async () => {
    await waitFor('the other to be heard of', async () => (await reasonsOf(others)).length === 0);
    expect(await reasonsOf(mine)).toEqual(['no poll of backup-default for 90 s']);
  });
});

it('a worker whose slots are all taken is busy: nobody expects polls of it', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const worker = await createHost('busy', async (input) => {
    await released;
    return anArtifact(input);
  });
  const reasons = () => unhealthyReasons({ client: elsewhere, workers: [worker] });
  const orchestrator = { planRun: () => Promise.resolve(aPlan(['mordor'])) };
  await withWorkers(stage, { withHost: false, orchestrator }, () =>
    worker.runUntil(async () => {
      expect(await reasons()).toEqual(['no poll of backup-default for 90 s']);
      const run = await startRun(stage);
      await waitFor('the capture to begin', () => worker.getStatus().numInFlightActivities === 1);
      expect(await reasons()).toEqual([]);
      release();
      await ending(run);
    }),
  );
});
