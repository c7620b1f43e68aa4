import { createHash } from 'node:crypto';
import { ScheduleNotFoundError, type Client } from '@temporalio/client';
import type { PlannedStart } from '../config/schedules.js';
import { BackupError } from '../domain/errors.js';

/** What the memo of each schedule of ours says. */
export interface ScheduleMemo {
  backupService: string;
  /** Ids of the backup directories by host, as they were when the schedule was made; records of runs know later ones. */
  directoryIds: Record<string, string>;
  /** As the configuration has them. */
  cron?: string;
  timezone?: string;
  /** Absent: `backup`. */
  starts?: ScheduleKey['starts'];
}

/** What a schedule is known by: a configuration has one for each. */
export interface ScheduleKey extends PlannedStart {
  service: string;
  timezone: string;
}

export interface ScheduleFound {
  scheduleId: string;
  memo: ScheduleMemo;
  paused: boolean;
  note: string | undefined;
  nextTimes: Date[];
}

/** All schedules of backup services in the namespace, this one's and strangers'. The list may lag seconds behind. */
export async function listSchedules(client: Client): Promise<ScheduleFound[]> {
  const found: ScheduleFound[] = [];
  for await (const summary of client.schedule.list()) {
    const memo = summary.memo as Partial<ScheduleMemo> | undefined;
    if (typeof memo?.backupService !== 'string') continue;
    const { backupService, directoryIds = {} } = memo;
    const { paused, note } = summary.state;
    const nextTimes = summary.info.nextActionTimes;
    found.push({
      ...{ scheduleId: summary.scheduleId, paused, note, nextTimes },
      memo: { ...memo, backupService, directoryIds },
    });
  }
  return found;
}

export function ofService(schedules: readonly ScheduleFound[], service: string): ScheduleFound[] {
  return schedules.filter((s) => s.memo.backupService === service);
}

/** Two services in one namespace would hold each other's locks: refused. */
export function refuseStrangers(schedules: readonly ScheduleFound[], service: string, namespace: string): void {
  const stranger = schedules.find((s) => s.memo.backupService !== service);
  if (stranger === undefined) return;
  throw new BackupError(
    'Conflict',
    `cannot serve ${service} in the namespace ${namespace}: because it belongs to the service ${stranger.memo.backupService}`,
    { hint: 'give each service a namespace of its own (TEMPORAL_NAMESPACE)', retryable: false },
  );
}

/** The directory ids that the schedules of a service know, by host. */
export function knownDirectoryIds(schedules: readonly ScheduleFound[], service: string): Record<string, string> {
  return Object.assign({}, ...ofService(schedules, service).map((s) => s.memo.directoryIds)) as Record<string, string>;
}

/** The crons of `keys` that Temporal has no schedule for. */
export function missingCrons(schedules: readonly ScheduleFound[], keys: readonly ScheduleKey[]): Set<string> {
  const ids = new Set(schedules.map((s) => s.scheduleId));
  return new Set(keys.filter((key) => !ids.has(scheduleId(key))).map(({ cron }) => cron));
}

export function scheduleId({ service, starts, cron, timezone }: ScheduleKey): string {
  const kind = starts === 'backup' ? 'schedule' : 'verify-schedule';
  return `${service}/${kind}/${digest([cron, timezone])}`;
}

/** Short, and the same for the same parts. */
export function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/** The schedule of a configuration, where Temporal has it. */
export async function findSchedule(client: Client, key: ScheduleKey) {
  const handle = client.schedule.getHandle(scheduleId(key));
  const description = await ignoreNotFound(handle.describe());
  return description === undefined ? undefined : { handle, description };
}

export async function ignoreNotFound<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
