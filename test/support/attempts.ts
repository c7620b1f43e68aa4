import { targetWorkflowId } from '../../src/domain/task-queues.js';
import type { TargetKind } from '../../src/domain/target.js';
import type { Deployment } from './deployment.js';
import { serviceOf } from './leftovers.js';

/** How often each activity of a target's newest workflow was tried: `{ captureTarget: 2 }`. */
export async function attemptsOf(
  deployment: Deployment,
  target: string,
  kind: TargetKind = 'database',
): Promise<Record<string, number>> {
  const workflowId = targetWorkflowId({ service: await serviceOf(deployment), kind, target });
  const { events } = await deployment.client.workflow.getHandle(workflowId).fetchHistory();
  const names = new Map<string, string>();
  const attempts: Record<string, number> = {};
  for (const event of events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (scheduled != null) names.set(String(event.eventId), scheduled);
    const started = event.activityTaskStartedEventAttributes;
    if (started == null) continue;
    const name = names.get(String(started.scheduledEventId)) ?? '';
    attempts[name] = (attempts[name] ?? 0) + (started.attempt ?? 0);
  }
  return attempts;
}
