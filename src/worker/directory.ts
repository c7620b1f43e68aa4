import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { onlyOne, servicesOfArtifacts } from '../artifact-services.js';
import { establishIdentity, readIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import { DEFAULT_HOST } from '../domain/target.js';
import { hostQueue } from '../domain/task-queues.js';
import type { Runtime } from '../runtime.js';
import { queuePollers } from '../temporal/pollers.js';
import { knownDirectoryIds, type ScheduleFound } from '../temporal/schedules.js';
import { parseWorkerIdentity, type WorkerIdentity } from '../temporal/worker-identity.js';
import type { Log } from './log.js';
import type { Service } from './service.js';

export interface SettleDirectoryInput {
  runtime: Runtime;
  client: Client;
  schedules: readonly ScheduleFound[];
  log: Log;
}

export interface SettledDirectory {
  /** Undefined on a further host where nobody knows: the plan of a run tells it. */
  service: string | undefined;
  /** Empty where the directory is not the expected one: captures then fail, and say so. */
  directoryId: string;
}

/**
 * Settles which directory this worker writes to and whose service it is. A directory that nobody knows gets its identity here. One that
 * is not there although it is known (a disk that is not mounted) lets the worker start, so that each run can say so; a second directory
 * beside that of another worker of this host is refused. That of a further host is made by the first capture there: the plan knows
 * whether there was one already.
 */
export async function settleDirectory(input: SettleDirectoryInput): Promise<SettledDirectory> {
  const { runtime, client, schedules, log } = input;
  const root = runtime.local.root;
  const { host } = runtime.config;
  const knownName = runtime.config.backup.service ?? onlyOne(new Set(schedules.map((s) => s.memo.backupService)));
  const ofArtifacts = () => servicesOfArtifacts(runtime.destinations, (text) => log.warn(text));
  const other = await directoryOfOthers(client, host);
  const expectedId = (knownName === undefined ? undefined : knownDirectoryIds(schedules, knownName)[host]) ?? other;

  const present = await readIdentity(root);
  if (other !== undefined && present?.id !== other) throw secondDirectory(root, host, other);
  try {
    const told = runtime.config.backup.service ?? present?.service ?? knownName;
    if (present === undefined && host !== DEFAULT_HOST) return { service: told, directoryId: '' };
    const service = told ?? onlyOne(await ofArtifacts());
    const identity = await establishIdentity({
      root,
      ...(service !== undefined && { service }),
      ...(expectedId !== undefined && { expectedId }),
    });
    return { service: identity.service, directoryId: identity.id };
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'DirectoryUnknown' || knownName === undefined) throw error;
    log.error({ hint: error.hint }, error.message);
    return { service: knownName, directoryId: '' };
  }
}

/** Whether the directory is, now, the one that a worker settled on; of a further host perhaps a run made it meanwhile. */
export async function isSettled(root: string, { host, directoryId }: Pick<Service, 'host' | 'directoryId'>) {
  const present = await readIdentity(root);
  if (present === undefined) return false;
  return directoryId === '' ? host !== DEFAULT_HOST : present.id === directoryId;
}

/** The directory that another worker of this host writes to, if one lives. */
async function directoryOfOthers(client: Client, host: string): Promise<string | undefined> {
  const identities = await queuePollers(client, { taskQueue: hostQueue(host), type: 'activity' });
  const others = identities.map(parseWorkerIdentity).filter((w) => w !== undefined && !isGone(w));
  return others.find((w) => w?.directoryId !== '')?.directoryId;
}

/** The server lists a worker for some time after its end; of one on this machine we know better. */
function isGone(worker: WorkerIdentity): boolean {
  if (worker.hostname !== hostname()) return false;
  if (worker.pid === process.pid) return true; // a predecessor: in a container every worker may be process 7
  try {
    process.kill(worker.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function secondDirectory(root: string, host: string, other: string): BackupError {
  const message = `cannot work for ${hostQueue(host)} with ${root}: because another worker there writes to another directory (${other})`;
  const hint =
    'give both the same backup_dir; or wait: one that ended in a container or on a machine that is gone is listed for 90 seconds more';
  return new BackupError('DirectoryUnknown', message, { hint });
}
