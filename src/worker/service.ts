import type { Client } from '@temporalio/client';
import type { ActivityDeps } from '../activities/deps.js';
import { translate } from '../activities/failures.js';
import { Slots } from '../activities/slots.js';
import type { ConfigPaths } from '../config/options.js';
import { DEFAULT_HOST } from '../domain/target.js';
import { openRunLog, type RunLog } from '../run-log.js';
import { loadRuntime, type Runtime } from '../runtime.js';
import { plannedStarts } from '../config/schedules.js';
import { applySchedules } from '../temporal/schedule-apply.js';
import { listSchedules, refuseStrangers } from '../temporal/schedules.js';
import { registerSearchAttributes } from '../temporal/search-attributes.js';
import type { Log } from './log.js';
import { settleDirectory } from './directory.js';

/** What a worker is, once its start has settled it. */
export interface Service {
  /** Undefined on a further host that no run has reached yet: the first one's plan tells. */
  name: string | undefined;
  host: string;
  /** The service for all of whose hosts it does what is done once: workflows, plans, reports, schedules. Undefined: none. */
  orchestrates: string | undefined;
  directoryId: string;
  deps: ActivityDeps;
}

export interface CreateServiceInput {
  runtime: Runtime;
  paths: ConfigPaths;
  client: Client;
  log: Log;
}

/** Settles whose service this is and which directory, refuses what would do damage, and applies the schedules. */
export async function createService({ runtime, paths, client, log }: CreateServiceInput): Promise<Service> {
  const { host } = runtime.config;
  const schedules = await listSchedules(client);
  const { service: name, directoryId } = await settleDirectory({ runtime, client, schedules, log });
  if (name !== undefined) refuseStrangers(schedules, name, client.options.namespace);
  const orchestrates = host === DEFAULT_HOST ? name : undefined;
  if (orchestrates !== undefined) {
    const directoryIds: Record<string, string> = directoryId === '' ? {} : { [host]: directoryId };
    await bringSchedules({ runtime, client, log, service: orchestrates, directoryIds });
    const warning = await registerSearchAttributes(client);
    if (warning !== undefined) log.warn(warning);
  }
  return { name, host, orchestrates, directoryId, deps: createDeps(runtime, paths, log) };
}

interface BringSchedulesInput extends Omit<CreateServiceInput, 'paths'> {
  service: string;
  directoryIds: Record<string, string>;
}

async function bringSchedules({ runtime: { config }, client, log, ...wish }: BringSchedulesInput): Promise<void> {
  const { timezone } = config.backup;
  const applied = await applySchedules(client, { ...wish, starts: plannedStarts(config), timezone });
  for (const { starts, cron, outcome } of applied)
    log.info({ schedule: cron, starts, timezone, outcome }, 'schedule applied');
  if (applied.length === 0) log.info('no schedule: runs are started by hand');
}

function createDeps(atStart: Runtime, paths: ConfigPaths, log: Log): ActivityDeps {
  let last = atStart;
  const runLogs = new Map<string, RunLog>();
  return {
    runtime: () => translate(async () => (last = await loadRuntime(paths, last)), last.redact),
    slots: new Slots(),
    log: (line) => log.info(line),
    runLog({ local: { root }, redact }, run) {
      const onError = (error: unknown) => log.warn({ run, error: String(error) }, 'cannot write the log of the run');
      const runLog = runLogs.get(run) ?? openRunLog({ root, run, redact, onError });
      runLogs.clear(); // one run at a time is the rule; another one only opens its log again
      runLogs.set(run, runLog);
      return (line) => {
        log.info({ run }, line);
        void runLog.write(line);
      };
    },
  };
}
