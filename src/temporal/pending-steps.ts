import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import proto from '@temporalio/proto'; // CommonJS without named exports
import type { HeartbeatDetails } from '../domain/heartbeat.js';
import type { PendingStep, StepState } from '../domain/pending-step.js';
import { queuePollers } from './pollers.js';

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];
type Timestamp = PendingActivity['scheduledTime'];

/** What the steps that a workflow waits for are at. It asks at most once about each of `asked`, the queues that somebody polls. */
export async function pendingSteps(
  client: Client,
  { raw }: Pick<WorkflowExecutionDescription, 'raw'>,
  asked: Map<string, boolean> = new Map(),
): Promise<PendingStep[]> {
  const steps: PendingStep[] = [];
  for (const activity of raw.pendingActivities ?? []) {
    const step = readStep(client, activity);
    steps.push(step.state === 'queued' && !(await isPolled(client, step.taskQueue, asked)) ? unpolled(step) : step);
  }
  return steps;
}

function readStep(client: Client, activity: PendingActivity): PendingStep {
  const state = stateOf(activity);
  const startedAt = state === 'running' || state === 'cancelling' ? dateOf(activity.lastStartedTime) : undefined;
  const nextAttemptAt = state === 'retrying' ? dateOf(activity.nextAttemptScheduleTime) : undefined;
  const failure = failureOf(activity);
  const progress = state === 'running' ? heartbeatOf(client, activity)?.now : undefined;
  return {
    activity: activity.activityType?.name ?? '',
    id: activity.activityId ?? '',
    state,
    taskQueue: activity.activityOptions?.taskQueue?.name ?? '',
    attempt: activity.attempt ?? 1,
    ...(startedAt !== undefined && { startedAt }),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    ...(failure !== undefined && { failure }),
    // What an earlier attempt told is handed on, and is nobody's progress.
    ...(progress !== undefined && progress.attempt === activity.attempt && { progress }),
  };
}

function stateOf({ state, nextAttemptScheduleTime }: PendingActivity): StepState {
  const { PENDING_ACTIVITY_STATE_STARTED, PENDING_ACTIVITY_STATE_CANCEL_REQUESTED } =
    proto.temporal.api.enums.v1.PendingActivityState;
  if (state === PENDING_ACTIVITY_STATE_STARTED) return 'running';
  if (state === PENDING_ACTIVITY_STATE_CANCEL_REQUESTED) return 'cancelling';
  return nextAttemptScheduleTime ? 'retrying' : 'queued';
}

/** What an activity fails with is a text for people already; a time-out of Temporal's own is not. */
function failureOf({ lastFailure }: PendingActivity): string | undefined {
  if (!lastFailure) return undefined;
  if (!lastFailure.timeoutFailureInfo) return lastFailure.message ?? '';
  const { TIMEOUT_TYPE_HEARTBEAT } = proto.temporal.api.enums.v1.TimeoutType;
  const isSilent = lastFailure.timeoutFailureInfo.timeoutType === TIMEOUT_TYPE_HEARTBEAT;
  return isSilent ? 'its worker gave no sign of life' : 'it took too long';
}

function heartbeatOf(client: Client, { heartbeatDetails }: PendingActivity): HeartbeatDetails | undefined {
  const payload = heartbeatDetails?.payloads?.[0];
  if (!payload) return undefined;
  return client.options.loadedDataConverter.payloadConverter.fromPayload<HeartbeatDetails>(payload);
}

async function isPolled(client: Client, taskQueue: string, asked: Map<string, boolean>): Promise<boolean> {
  const known = asked.get(taskQueue);
  if (known !== undefined) return known;
  const polled = (await queuePollers(client, { taskQueue, type: 'activity' })).length > 0;
  asked.set(taskQueue, polled);
  return polled;
}

function unpolled(step: PendingStep): PendingStep {
  return { ...step, state: 'unpolled' };
}

function dateOf(time: Timestamp): Date | undefined {
  return time ? new Date(Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1_000_000) : undefined;
}
