import { establishIdentity, type DirectoryIdentity } from '../directory-identity.js';
import { shortestGapMs } from '../config/cron.js';
import { BackupError } from '../domain/errors.js';
import { runId } from '../domain/names.js';
import type { RefusedTarget, RunPlan } from '../domain/run.js';
import type { PlanRunInput } from '../domain/steps.js';
import { DEFAULT_HOST, type Target } from '../domain/target.js';
import { reserveRun } from '../run-records.js';
import type { Runtime } from '../runtime.js';

const HOUR_MS = 3_600_000;
const LONGEST_RUN_MS = 20 * HOUR_MS;

export interface PlanContext {
  /** This service, as the worker settled it at its start. */
  service: string;
  /** What the schedules' memo knows. */
  directoryIds: Record<string, string>;
  warnings: string[];
}

/** Fixes what a run will do: its id, targets, times and destinations. */
export async function planRun(runtime: Runtime, input: PlanRunInput, context: PlanContext): Promise<RunPlan> {
  const { config } = runtime;
  const { service } = context;
  const chosen = choose(runtime, input.targets ?? []);
  const base = {
    service,
    settings: { ...config.backup.run, deadlineMs: deadlineMs(runtime, input) },
    destinations: runtime.destinations.map((d) => d.kind),
    warnings: [...context.warnings, ...config.warnings],
  };
  try {
    const identity = await identify(runtime, context);
    const run = await reserve(runtime, input, identity);
    const directoryIds = { ...context.directoryIds, [DEFAULT_HOST]: identity.id };
    return { ...base, run, ...chosen, directoryIds, reserved: true };
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'DirectoryUnknown') throw error;
    const run = runId(new Date(input.startedAt), config.backup.timezone);
    const refused = [...chosen.refused, ...chosen.targets.map((t) => refuse(t, error.text))];
    return { ...base, run, targets: [], refused, directoryIds: context.directoryIds, reserved: false };
  }
}

function choose({ config }: Runtime, names: readonly string[]): { targets: Target[]; refused: RefusedTarget[] } {
  const wanted = new Set(names.map((n) => n.toLowerCase()));
  const isWanted = (name: string) => wanted.size === 0 || wanted.has(name.toLowerCase());
  const targets = config.targets.filter((t) => isWanted(t.name));
  const refused = config.refused
    .filter((t) => isWanted(t.target))
    .map(({ target, kind, error }) => ({ target, kind, error }));
  const known = new Set([...targets.map((t) => t.name.toLowerCase()), ...refused.map((t) => t.target.toLowerCase())]);
  const missing = names.filter((n) => !known.has(n.toLowerCase()));
  if (missing.length === 0) return { targets, refused };
  const isDisabled = config.disabled.some((d) => missing.some((m) => m.toLowerCase() === d.target.toLowerCase()));
  throw new BackupError(
    'NotFound',
    `cannot back up ${missing.join(', ')}: because ${config.file} has no such enabled target`,
    {
      hint: isDisabled ? 'set `enabled: true`' : '`backupctl config show` lists the targets',
    },
  );
}

function identify(runtime: Runtime, { service, directoryIds }: PlanContext): Promise<DirectoryIdentity> {
  const expectedId = directoryIds[DEFAULT_HOST];
  return establishIdentity({ root: runtime.local.root, service, ...(expectedId !== undefined && { expectedId }) });
}

function reserve(runtime: Runtime, input: PlanRunInput, identity: DirectoryIdentity): Promise<string> {
  return reserveRun({
    destination: runtime.local,
    start: new Date(input.startedAt),
    timeZone: runtime.config.backup.timezone,
    record: {
      service: identity.service,
      directoryId: identity.id,
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

function refuse({ name, kind }: Target, error: string): RefusedTarget {
  return { target: name, kind, error };
}
