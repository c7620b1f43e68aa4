import type { Client } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { LATELY_MS, queuePollers, type QueuePollersInput } from '../temporal/pollers.js';

/** The answer must come before whoever asks gives up: a container engine, a load balancer. */
const DEADLINE_MS = 3_000;

export interface WatchedWorkers {
  client: Client;
  workers: readonly Worker[];
}

interface ExpectedPoll extends QueuePollersInput {
  identity: string;
}

/** Why these workers do no work, a line for each reason; empty where they do. Asks the server whether it has heard of them lately. */
export async function unhealthyReasons({ client, workers }: WatchedWorkers): Promise<string[]> {
  const idle = workers.filter((worker) => worker.getState() !== 'RUNNING');
  if (idle.length > 0) return idle.map((worker) => `the worker of ${worker.options.taskQueue} is ${worker.getState()}`);
  try {
    const lists = await client.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      Promise.all(workers.flatMap(expectedPolls).map((poll) => missing(client, poll))),
    );
    return [...new Set(lists.flat())];
  } catch (error) {
    const { details } = error as { details?: string };
    return [`cannot reach the Temporal server: ${details ?? String(error)}`];
  }
}

/** A worker whose slots are all taken polls for no more activities: it is busy, not dead. */
function expectedPolls(worker: Worker): ExpectedPoll[] {
  const { taskQueue, identity, workflowBundle, activities, tuner } = worker.options;
  const slots = tuner.activityTaskSlotSupplier;
  const isFull = slots.type === 'fixed-size' && worker.getStatus().numInFlightActivities >= slots.numSlots;
  return [
    ...(workflowBundle === undefined ? [] : [{ taskQueue, type: 'workflow', identity } as const]),
    ...(activities.size === 0 || isFull ? [] : [{ taskQueue, type: 'activity', identity } as const]),
  ];
}

async function missing(client: Client, { identity, ...queue }: ExpectedPoll): Promise<string[]> {
  const identities = await queuePollers(client, queue);
  return identities.includes(identity) ? [] : [`no poll of ${queue.taskQueue} for ${LATELY_MS / 1000} s`];
}
