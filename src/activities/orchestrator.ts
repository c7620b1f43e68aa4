import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Config } from '../config/config.js';
import { cronsOf } from '../config/schedules.js';
import type { RunPlan } from '../domain/run.js';
import type {
  BackupPartResult,
  BackupTargetResult,
  ChildHolder,
  ChildHolderInput,
  PlanRunInput,
  ReportRunInput,
} from '../domain/steps.js';
import { ORCHESTRATOR_HEARTBEAT_TIMEOUT_MS } from '../domain/task-queues.js';
import type { VerifyPlan, VerifyRunInput } from '../domain/verify-run.js';
import { planRun } from '../steps/plan.js';
import { planVerification } from '../steps/plan-verification.js';
import { reportRun } from '../steps/report.js';
import { queuePollers } from '../temporal/pollers.js';
import {
  findSchedule,
  knownDirectoryIds,
  listSchedules,
  missingCrons,
  type ScheduleFound,
} from '../temporal/schedules.js';
import { searchAttributeProbe } from '../temporal/search-attributes.js';
import type { BackupPart } from '../workflows/backup-part.js';
import type { BackupTarget } from '../workflows/backup-target.js';
import type { OrchestratorDeps } from './deps.js';
import { translate } from './failures.js';

const PULSE_MS = ORCHESTRATOR_HEARTBEAT_TIMEOUT_MS / 4;

export type OrchestratorActivities = ReturnType<typeof createOrchestratorActivities>;

/** What the orchestrator does for all hosts, on the queue `backup`. */
export function createOrchestratorActivities(deps: OrchestratorDeps) {
  const { client, service } = deps;
  const hasSearchAttributes = searchAttributeProbe(client);
  return {
    planRun: (input: PlanRunInput): Promise<RunPlan> =>
      pulsing(async () => {
        const runtime = await deps.runtime();
        return translate(async () => {
          const schedules = await listSchedules(client);
          const directoryIds = knownDirectoryIds(schedules, service);
          const missing = await findMissingCrons(deps, runtime.config, schedules);
          const warnings = [...missing].map((cron) => missingSchedule(cron, runtime.config.backup.timezone));
          const plan = await planRun(runtime, input, { service, directoryIds, missingCrons: missing, warnings });
          if (plan.reserved) logPlan(deps.runLog(runtime, plan.run), plan);
          return { ...plan, searchAttributes: await hasSearchAttributes() };
        }, runtime.redact);
      }),

    planVerification: (input: VerifyRunInput): Promise<VerifyPlan> =>
      pulsing(async () => {
        const runtime = await deps.runtime();
        const planned = await translate(() => Promise.resolve(planVerification(runtime, input)), runtime.redact);
        return { service, ...planned, searchAttributes: await hasSearchAttributes() };
      }),

    reportRun: (input: ReportRunInput): Promise<string[]> =>
      pulsing(async () => {
        const runtime = await deps.runtime();
        return translate(async () => {
          const warnings = await reportRun(runtime, input);
          if (input.plan.reserved) logReport(deps.runLog(runtime, input.plan.run), input);
          return warnings;
        }, runtime.redact);
      }),

    /** As a local activity only: see `setFoundBy`. */
    hasSearchAttributes,

    isQueuePolled: ({ taskQueue }: { taskQueue: string }): Promise<boolean> =>
      pulsing(async () => (await queuePollers(client, { taskQueue, type: 'activity' })).length > 0),

    /** Whose child runs under an id; undefined where it has ended meanwhile and was another run's. */
    findChildHolder: ({ childWorkflowId }: ChildHolderInput): Promise<ChildHolder | undefined> =>
      pulsing(async () => {
        const info = await client.workflow.getHandle(childWorkflowId).describe();
        const memo = info.memo as Partial<ChildHolder> | undefined;
        const holder = { parentWorkflowId: memo?.parentWorkflowId ?? '', run: memo?.run ?? '' };
        const isOurs = holder.parentWorkflowId === Context.current().info.workflowExecution?.workflowId;
        return isOurs || info.status.name === 'RUNNING' ? holder : undefined;
      }),

    /** The result of a child that this workflow started before it was reset; fails as the child does, and passes a cancellation on. */
    awaitChild: ({ childWorkflowId }: ChildHolderInput): Promise<BackupTargetResult> =>
      awaitChild(client.workflow.getHandle<typeof BackupTarget>(childWorkflowId)),

    /** The same of a part of the run. */
    awaitPart: ({ childWorkflowId }: ChildHolderInput): Promise<BackupPartResult> =>
      awaitChild(client.workflow.getHandle<typeof BackupPart>(childWorkflowId)),
  };
}

function awaitChild<Result>(child: { result(): Promise<Result>; cancel(): Promise<unknown> }): Promise<Result> {
  return pulsing(async () => {
    const ctx = Context.current();
    try {
      return await Promise.race([child.result(), ctx.cancelled]);
    } catch (error) {
      if (ctx.cancellationDetails?.cancelRequested) await child.cancel();
      throw error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure ? error.cause : error;
    }
  });
}

/** Shows while `work` goes on that this worker lives. */
async function pulsing<T>(work: () => Promise<T>): Promise<T> {
  const ctx = Context.current();
  const pulse = setInterval(() => ctx.heartbeat(), PULSE_MS);
  try {
    return await work();
  } finally {
    clearInterval(pulse);
  }
}

/** The list of schedules lags behind: one that it lacks is asked for by its id. */
async function findMissingCrons(
  { client, service }: OrchestratorDeps,
  config: Config,
  schedules: readonly ScheduleFound[],
): Promise<Set<string>> {
  const { timezone } = config.backup;
  const keys = cronsOf(config).map((cron) => ({ service, starts: 'backup' as const, cron, timezone }));
  const missing = missingCrons(schedules, keys);
  for (const key of keys.filter(({ cron }) => missing.has(cron))) {
    if ((await findSchedule(client, key)) !== undefined) missing.delete(key.cron);
  }
  return missing;
}

function missingSchedule(cron: string, timezone: string): string {
  return `Temporal has no schedule ${cron} (${timezone}), as the file has it\nHINT: \`backupctl schedule apply\``;
}

function logPlan(
  log: (line: string) => void,
  { run, service, targets, refused, destinations, warnings }: RunPlan,
): void {
  log(`run ${run} of ${service}: ${targets.length} targets to ${destinations.join(', ')}`);
  for (const { target, error } of refused) log(`${target}: failed: ${error}`);
  for (const warning of warnings) log(`warning: ${warning}`);
}

function logReport(log: (line: string) => void, { report }: ReportRunInput): void {
  for (const { target, outcome, artifact, sizeBytes, error } of report.targets) {
    const what = artifact === undefined ? '' : ` ${artifact} (${sizeBytes ?? 0} bytes)`;
    log(`${target}: ${outcome}${what}${error === undefined ? '' : `: ${error}`}`);
  }
  for (const warning of report.warnings) log(`warning: ${warning}`);
  log(`run ${report.run}: ${report.outcome}`);
}
