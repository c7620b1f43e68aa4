import type { Client } from '@temporalio/client';

/** Seconds from the start of the run, as the history of the target's workflow has them: when each step was begun and was done. */
export type StepTimes = Partial<Record<'captureTarget' | 'copyArtifact', { startedAt: number; doneAt: number }>>;

interface Timestamp {
  seconds?: unknown;
  nanos?: number | null | undefined;
}

/** A capture that is done is proved and committed; a copy that is done is confirmed. */
export async function stepTimes(client: Client, workflowId: string, startMs: number): Promise<StepTimes> {
  const { events = [] } = await client.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = new Map<string, { name: keyof StepTimes; startedAt: number }>();
  const times: StepTimes = {};
  for (const event of events ?? []) {
    const at = (millisecondsOf(event.eventTime ?? {}) - startMs) / 1000;
    const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (name != null) scheduled.set(String(event.eventId), { name: name as keyof StepTimes, startedAt: at });
    const done = event.activityTaskCompletedEventAttributes?.scheduledEventId;
    const begun = scheduled.get(String(done));
    if (begun !== undefined) times[begun.name] = { startedAt: begun.startedAt, doneAt: at };
  }
  return times;
}

function millisecondsOf({ seconds = 0, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + (nanos ?? 0) / 1e6;
}
