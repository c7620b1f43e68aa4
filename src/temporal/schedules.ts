import { createHash } from 'node:crypto';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import { parseSchedule, shortestGapMs } from '../config/cron.js';
import { BackupError } from '../domain/errors.js';
import type { BackupRunInput } from '../domain/run.js';
import { ORCHESTRATOR_QUEUE, runWorkflowIdPrefix } from '../domain/task-queues.js';
import type { BackupRun } from '../workflows/backup-run.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What the memo of each schedule of ours says. */
interface ScheduleMemo {
  backupService: string;
  /** Ids of the backup directories by host, as they were when the schedule was made. */
  directoryIds: Record<string, string>;
}

export interface ScheduleWish {
  service: string;
  cron: string;
  timezone: string;
  directoryIds: Record<string, string>;
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
    found.push({ scheduleId: summary.scheduleId, memo: { backupService, directoryIds }, paused, note, nextTimes });
  }
  return found;
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
  const ours = schedules.filter((s) => s.memo.backupService === service);
  return Object.assign({}, ...ours.map((s) => s.memo.directoryIds)) as Record<string, string>;
}

export type ApplyOutcome = 'created' | 'updated' | 'unchanged' | 'removed' | 'none';

/**
 * Makes Temporal's schedules those of the configuration: one for the wished cron and zone, none where nothing is wished. A paused
 * schedule stays paused, also when its cron changes; an unchanged one is not written.
 */
export async function applySchedule(client: Client, service: string, wish?: ScheduleWish): Promise<ApplyOutcome> {
  const ours = (await listSchedules(client)).filter((s) => s.memo.backupService === service);
  const obsolete = ours.filter((s) => wish === undefined || s.scheduleId !== scheduleId(wish));
  let outcome: ApplyOutcome = obsolete.length > 0 ? 'removed' : 'none';
  if (wish !== undefined) {
    const directoryIds = { ...wish.directoryIds, ...knownDirectoryIds(ours, service) };
    outcome = await createOrUpdate(
      client,
      { ...wish, directoryIds },
      obsolete.length > 0 && obsolete.every((s) => s.paused),
    );
  }
  for (const { scheduleId: id } of obsolete) await ignoreNotFound(client.schedule.getHandle(id).delete());
  return outcome;
}

async function createOrUpdate(client: Client, wish: ScheduleWish, paused: boolean): Promise<ApplyOutcome> {
  const options = scheduleOptions(wish);
  try {
    await client.schedule.create({ ...options, state: { paused, note: options.state?.note ?? '' } });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(options.scheduleId);
  if ((await handle.describe()).state.note === options.state?.note) return 'unchanged';
  await handle.update((previous) => updateOf(options, previous)); // replaces everything: `paused` is carried over
  return 'updated';
}

type RunScheduleOptions = ScheduleOptions<ScheduleOptionsStartWorkflowAction<typeof BackupRun>>;

function updateOf({ scheduleId: _id, memo: _memo, ...options }: RunScheduleOptions, previous: ScheduleDescription) {
  return { ...options, state: { paused: previous.state.paused, note: options.state?.note ?? '' } };
}

function scheduleOptions(wish: ScheduleWish): RunScheduleOptions {
  const { service, cron, timezone, directoryIds } = wish;
  const input: BackupRunInput = { trigger: 'schedule', cron };
  return {
    scheduleId: scheduleId(wish),
    spec: { cronExpressions: parseSchedule(cron).expressions, timezone },
    action: {
      type: 'startWorkflow',
      workflowType: 'BackupRun',
      workflowId: runWorkflowIdPrefix(service),
      taskQueue: ORCHESTRATOR_QUEUE,
      args: [input],
      staticSummary: `scheduled backup (${cron} ${timezone})`,
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      pauseOnFailure: false,
      catchupWindow: catchUpWindowMs(cron, timezone),
    },
    memo: { backupService: service, directoryIds },
    state: { note: scheduleNote(wish) },
  };
}

/** How late a missed start is still made up: 0.9 of the shortest gap between fires, from 10 s to 20 h. */
function catchUpWindowMs(cron: string, timezone: string): number {
  const windowMs = 0.9 * shortestGapMs(cron, timezone, new Date());
  return Math.round(Math.min(20 * HOUR_MS, Math.max(10 * SECOND_MS, windowMs)));
}

export function scheduleId({ service, cron, timezone }: Pick<ScheduleWish, 'service' | 'cron' | 'timezone'>): string {
  return `${service}/schedule/${digest([cron, timezone])}`;
}

/** Says which configuration a schedule was made from; the format's number changes when we write schedules differently. */
function scheduleNote({ cron, timezone }: ScheduleWish): string {
  return `config ${digest([1, cron, timezone])}`;
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/** The schedule of a configuration, where Temporal has it. */
export async function findSchedule(client: Client, wish: Pick<ScheduleWish, 'service' | 'cron' | 'timezone'>) {
  const handle: ScheduleHandle = client.schedule.getHandle(scheduleId(wish));
  const description = await ignoreNotFound(handle.describe());
  return description === undefined ? undefined : { handle, description };
}

async function ignoreNotFound<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
