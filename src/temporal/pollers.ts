import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto'; // CommonJS without named exports

/** A worker polls about once a minute (the server's long poll); one that was killed is listed for five minutes. */
export const LATELY_MS = 90_000;

export interface QueuePollersInput {
  taskQueue: string;
  /** Whether workflow or activity tasks are meant: a queue has both. */
  type: 'workflow' | 'activity';
}

/** Identities of the workers that polled a queue lately; empty: nobody does its work. */
export async function queuePollers(client: Client, { taskQueue, type }: QueuePollersInput): Promise<string[]> {
  const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: type === 'workflow' ? TASK_QUEUE_TYPE_WORKFLOW : TASK_QUEUE_TYPE_ACTIVITY,
  });
  const since = Date.now() - LATELY_MS;
  return (pollers ?? [])
    .filter((p) => Number(p.lastAccessTime?.seconds ?? 0) * 1000 >= since)
    .map((p) => p.identity ?? '');
}
