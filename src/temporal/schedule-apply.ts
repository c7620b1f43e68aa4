import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import { parseSchedule, shortestGapMs } from '../config/cron.js';
import type { PlannedStart } from '../config/schedules.js';
import type { BackupRunInput } from '../domain/run.js';
import { ORCHESTRATOR_QUEUE, runWorkflowIdPrefix, verifyWorkflowIdPrefix } from '../domain/task-queues.js';
import type { VerifyRunInput } from '../domain/verify-run.js';
import type { BackupRun } from '../workflows/backup-run.js';
import type { VerifyRun } from '../workflows/verify-run.js';
import {
  digest,
  ignoreNotFound,
  knownDirectoryIds,
  listSchedules,
  ofService,
  scheduleId,
  type ScheduleKey,
  type ScheduleMemo,
} from './schedules.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

export interface SchedulesWish {
  service: string;
  /** A schedule for each; none: runs are started by hand. */
  starts: readonly PlannedStart[];
  timezone: string;
  directoryIds: Record<string, string>;
}

export interface AppliedSchedule {
  scheduleId: string;
  starts: PlannedStart['starts'];
  /** Absent of one that was removed and does not say. */
  cron?: string;
  outcome: 'created' | 'updated' | 'unchanged' | 'removed';
}

/**
 * Makes Temporal's schedules those of the configuration. A paused schedule stays paused, and a new one is paused where
 * all that were there are; an unchanged one is not written.
 */
export async function applySchedules(client: Client, wish: SchedulesWish): Promise<AppliedSchedule[]> {
  const { service, starts, timezone } = wish;
  const ours = ofService(await listSchedules(client), service);
  const directoryIds = { ...wish.directoryIds, ...knownDirectoryIds(ours, service) };
  const paused = ours.length > 0 && ours.every((s) => s.paused);
  const applied: AppliedSchedule[] = [];
  for (const start of starts) {
    applied.push(await createOrUpdate(client, { service, ...start, timezone }, { directoryIds, paused }));
  }
  const wished = new Set(applied.map((s) => s.scheduleId));
  for (const { scheduleId: id, memo } of ours.filter((s) => !wished.has(s.scheduleId))) {
    await ignoreNotFound(client.schedule.getHandle(id).delete());
    const { starts = 'backup', cron } = memo;
    applied.push({ scheduleId: id, starts, ...(cron !== undefined && { cron }), outcome: 'removed' });
  }
  return applied;
}

interface Beginning {
  directoryIds: Record<string, string>;
  paused: boolean;
}

async function createOrUpdate(client: Client, key: ScheduleKey, beginning: Beginning): Promise<AppliedSchedule> {
  const { scheduleId: id, ...options } = scheduleOptions(key);
  const note = scheduleNote(key);
  const { service: backupService, starts, cron, timezone } = key;
  const done = (outcome: AppliedSchedule['outcome']) => ({ scheduleId: id, starts, cron, outcome });
  const memo: ScheduleMemo = { backupService, directoryIds: beginning.directoryIds, cron, timezone, starts };
  try {
    const state = { paused: beginning.paused, note };
    await client.schedule.create({ ...options, scheduleId: id, state, memo: { ...memo } });
    return done('created');
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(id);
  if ((await handle.describe()).state.note === note) return done('unchanged');
  // It replaces everything: `paused` is carried over.
  await handle.update(({ state: { paused } }: ScheduleDescription) => ({ ...options, state: { paused, note } }));
  return done('updated');
}

type Options = ScheduleOptions<ScheduleOptionsStartWorkflowAction<typeof BackupRun | typeof VerifyRun>>;

function scheduleOptions(key: ScheduleKey): Options {
  const { cron, timezone } = key;
  return {
    scheduleId: scheduleId(key),
    spec: { cronExpressions: parseSchedule(cron).expressions, timezone },
    action: key.starts === 'backup' ? backupAction(key) : verifyAction(key),
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      pauseOnFailure: false,
      catchupWindow: catchUpWindowMs(cron, timezone),
    },
  };
}

function backupAction({ service, cron, timezone }: ScheduleKey): Options['action'] {
  const input: BackupRunInput = { trigger: 'schedule', cron };
  return {
    type: 'startWorkflow',
    workflowType: 'BackupRun',
    // Temporal adds the second of the start, which two schedules that meet share.
    workflowId: `${runWorkflowIdPrefix(service)}-${digest([cron, timezone])}`,
    taskQueue: ORCHESTRATOR_QUEUE,
    args: [input],
    staticSummary: `scheduled backup (${cron} ${timezone})`,
  };
}

function verifyAction({ service, cron, timezone }: ScheduleKey): Options['action'] {
  const input: VerifyRunInput = { cron };
  return {
    type: 'startWorkflow',
    workflowType: 'VerifyRun',
    workflowId: `${verifyWorkflowIdPrefix(service)}-${digest([cron, timezone])}`,
    taskQueue: ORCHESTRATOR_QUEUE,
    args: [input],
    staticSummary: `scheduled verification (${cron} ${timezone})`,
  };
}

/** How late a missed start is still made up: 0.9 of the shortest gap between fires, from 10 s to 20 h. */
function catchUpWindowMs(cron: string, timezone: string): number {
  const windowMs = 0.9 * shortestGapMs(cron, timezone, new Date());
  return Math.round(Math.min(20 * HOUR_MS, Math.max(10 * SECOND_MS, windowMs)));
}

/** Says which configuration a schedule was made from; the format's number changes when we write schedules differently. */
function scheduleNote({ cron, timezone }: ScheduleKey): string {
  return `config ${digest([2, cron, timezone])}`;
}
