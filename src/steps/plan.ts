import { establishIdentity, type DirectoryIdentity } from '../directory-identity.js';
import { shortestGapMs } from '../config/cron.js';
import { BackupError } from '../domain/errors.js';
import { runId } from '../domain/names.js';
import { LARGEST_RUN_WITHOUT_PARTS, PART_SIZE } from '../domain/parts.js';
import type { RefusedTarget, RunPlan } from '../domain/run.js';
import type { PlanRunInput } from '../domain/steps.js';
import { DEFAULT_HOST, type Target } from '../domain/target.js';
import { newestRecord, reserveRun } from '../run-records.js';
import type { Runtime } from '../runtime.js';
import { selectTargets } from './select-targets.js';

const HOUR_MS = 3_600_000;
const LONGEST_RUN_MS = 20 * HOUR_MS;

export interface PlanContext {
  /** This service, as the worker settled it at its start. */
  service: string;
  /** What the schedules' memo knows, by host. */
  directoryIds: Record<string, string>;
  /** Crons of the configuration that Temporal has no schedule for yet. */
  missingCrons: ReadonlySet<string>;
  warnings: string[];
}

/** Fixes what a run will do: its id, targets, times and destinations. */
export async function planRun(runtime: Runtime, input: PlanRunInput, context: PlanContext): Promise<RunPlan> {
  const { config } = runtime;
  const { service } = context;
  const { missingCrons } = context;
  const chosen = selectTargets({ config, names: input.targets ?? [], cron: input.cron, missingCrons });
  const base = {
    service,
    settings: { ...config.backup.run, deadlineMs: deadlineMs(runtime, input) },
    destinations: runtime.destinations.map((d) => d.kind),
    warnings: [...context.warnings, ...config.warnings],
  };
  try {
    const identity = await identify(runtime, context);
    const recorded = (await newestRecord(runtime.local))?.directoryIds;
    const directoryIds = { ...recorded, ...context.directoryIds, [DEFAULT_HOST]: identity.id };
    const run = await reserve(runtime, input, { identity, directoryIds });
    return { ...base, run, ...chosen, ...inParts(chosen.targets), directoryIds, reserved: true };
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'DirectoryUnknown') throw error;
    const run = runId(new Date(input.startedAt), config.backup.timezone);
    // Other hosts have directories of their own.
    const targets = chosen.targets.filter((t) => t.host !== DEFAULT_HOST);
    const here = chosen.targets.filter((t) => t.host === DEFAULT_HOST);
    const refused = [...chosen.refused, ...here.map((t) => refuse(t, error.text))];
    const { directoryIds } = context;
    return { ...base, run, targets, refused, ...inParts(targets), directoryIds, reserved: false };
  }
}

function inParts(targets: readonly Target[]): Pick<RunPlan, 'partSize'> {
  return targets.length > LARGEST_RUN_WITHOUT_PARTS ? { partSize: PART_SIZE } : {};
}

function identify(runtime: Runtime, { service, directoryIds }: PlanContext): Promise<DirectoryIdentity> {
  const expectedId = directoryIds[DEFAULT_HOST];
  return establishIdentity({ root: runtime.local.root, service, ...(expectedId !== undefined && { expectedId }) });
}

interface Known {
  identity: DirectoryIdentity;
  directoryIds: Record<string, string>;
}

function reserve(runtime: Runtime, input: PlanRunInput, { identity, directoryIds }: Known): Promise<string> {
  return reserveRun({
    destination: runtime.local,
    start: new Date(input.startedAt),
    timeZone: runtime.config.backup.timezone,
    record: {
      service: identity.service,
      directoryId: identity.id,
      directoryIds,
      workflowId: input.workflowId,
      trigger: input.trigger,
      startedAt: input.startedAt,
      outcome: 'running',
      targets: [],
      warnings: [],
    },
  });
}

/** A run must be over before the next one is due, or overlap would skip it: 0.9 of the shortest gap, at most 20 h. */
function deadlineMs({ config }: Runtime, { cron, startedAt }: PlanRunInput): number {
  const { deadlineMs: configured } = config.backup.run;
  if (configured !== undefined) return configured;
  if (cron === undefined) return LONGEST_RUN_MS;
  const gapMs = shortestGapMs(cron, config.backup.timezone, new Date(startedAt));
  return Math.min(LONGEST_RUN_MS, Math.round(0.9 * gapMs));
}

function refuse({ name, kind, host }: Target, error: string): RefusedTarget {
  return { target: name, kind, error, host };
}
