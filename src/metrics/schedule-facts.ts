import type { Client, ScheduleDescription } from '@temporalio/client';
import type { BackupRunInput } from '../domain/run.js';
import type { PlannedStart } from '../config/schedules.js';
import { listSchedules } from '../temporal/schedules.js';

const DEADLINE_MS = 2_000;

export interface ScheduleFacts {
  cron: string;
  starts: PlannedStart['starts'];
  paused: boolean;
  missedCount: number;
  skippedCount: number;
  /** Undefined where it never fires again. */
  next: Date | undefined;
}

/** What Temporal says of the schedules of a service. Rejects where it does not answer within two seconds. */
export function scheduleFacts(client: Client, service: string): Promise<ScheduleFacts[]> {
  return client.connection.withDeadline(Date.now() + DEADLINE_MS, async () => {
    const ours = (await listSchedules(client)).filter(({ memo }) => memo.backupService === service);
    return Promise.all(
      ours.map(async ({ scheduleId }) => factsOf(await client.schedule.getHandle(scheduleId).describe())),
    );
  });
}

function factsOf({ scheduleId, action, state, info }: ScheduleDescription): ScheduleFacts {
  const [input] = action.type === 'startWorkflow' ? ((action.args ?? []) as Partial<BackupRunInput>[]) : [];
  return {
    cron: input?.cron ?? scheduleId,
    starts: action.type === 'startWorkflow' && action.workflowType === 'VerifyRun' ? 'verify' : 'backup',
    paused: state.paused,
    missedCount: info.numActionsMissedCatchupWindow,
    skippedCount: info.numActionsSkippedOverlap,
    next: state.paused ? undefined : info.nextActionTimes[0],
  };
}
