import type { Client } from '@temporalio/client';
import type { ActivityDeps } from '../activities/deps.js';
import { translate } from '../activities/failures.js';
import type { ConfigPaths } from '../config/options.js';
import { DEFAULT_HOST } from '../domain/target.js';
import { openRunLog, type RunLog } from '../run-log.js';
import { loadRuntime, type Runtime } from '../runtime.js';
import { registerSearchAttributes } from '../temporal/search-attributes.js';
import { applySchedule, knownDirectoryIds, listSchedules, refuseStrangers } from '../temporal/schedules.js';
import type { Log } from './log.js';
import { settleDirectory } from './directory.js';

/** What a worker is, once its start has settled it. */
export interface Service {
  name: string;
  host: string;
  directoryId: string;
  deps: ActivityDeps;
}

export interface CreateServiceInput {
  runtime: Runtime;
  paths: ConfigPaths;
  client: Client;
  log: Log;
}

/** Settles whose service this is and which directory, refuses what would do damage, and applies the schedule. */
export async function createService({ runtime, paths, client, log }: CreateServiceInput): Promise<Service> {
  const host = DEFAULT_HOST;
  const schedules = await listSchedules(client);
  const { service: name, directoryId } = await settleDirectory({ runtime, client, schedules, host, log });
  refuseStrangers(schedules, name, client.options.namespace);
  const known = knownDirectoryIds(schedules, name);
  const directoryIds = directoryId === '' ? known : { ...known, [host]: directoryId };
  const { schedule: cron, timezone } = runtime.config.backup;
  const wish = cron === undefined ? undefined : { service: name, cron, timezone, directoryIds };
  log.info(
    { schedule: cron ?? 'none', timezone, outcome: await applySchedule(client, name, wish) },
    'schedule applied',
  );
  const warning = await registerSearchAttributes(client);
  if (warning !== undefined) log.warn(warning);
  return { name, host, directoryId, deps: createDeps(runtime, paths, log) };
}

function createDeps(atStart: Runtime, paths: ConfigPaths, log: Log): ActivityDeps {
  let last = atStart;
  const runLogs = new Map<string, RunLog>();
  return {
    runtime: () => translate(async () => (last = await loadRuntime(paths, last)), last.redact),
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
