import { readIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import { hostQueue, ORCHESTRATOR_QUEUE } from '../domain/task-queues.js';
import { DEFAULT_HOST } from '../domain/target.js';
import type { Runtime } from '../runtime.js';
import { queuePollers, type QueuePollersInput } from '../temporal/pollers.js';
import { parseWorkerIdentity } from '../temporal/worker-identity.js';
import type { Check } from './check.js';
import { whereConnected, type TemporalAccess } from './temporal-access.js';

/** Whether somebody does the work: workflows, and what each host captures and copies. */
export function workerChecks(runtime: Runtime, temporal: TemporalAccess): Check[] {
  const hosts = [...new Set([DEFAULT_HOST, ...runtime.config.targets.map(({ host }) => host)])];
  return [
    { check: 'worker', subject: ORCHESTRATOR_QUEUE, run: () => checkOrchestrator(temporal) },
    ...hosts.map((host) => ({
      check: 'worker',
      subject: hostQueue(host),
      run: () => checkHost(runtime, temporal, host),
    })),
  ];
}

async function checkOrchestrator(temporal: TemporalAccess): Promise<string> {
  await pollersOf(temporal, { taskQueue: ORCHESTRATOR_QUEUE, type: 'activity' });
  return named(await pollersOf(temporal, { taskQueue: ORCHESTRATOR_QUEUE, type: 'workflow' }));
}

/** A worker names its directory in its identity: it has to be the one that is looked at here. */
async function checkHost({ local, config }: Runtime, temporal: TemporalAccess, host: string): Promise<string> {
  const taskQueue = hostQueue(host);
  const pollers = await pollersOf(temporal, { taskQueue, type: 'activity' });
  if (host !== config.host) return named(pollers);
  const hereId = (await readIdentity(local.root).catch(() => undefined))?.id ?? '';
  const elsewhere = pollers.find((poller) => parseWorkerIdentity(poller)?.directoryId !== hereId);
  if (elsewhere === undefined || hereId === '') return named(pollers);
  const theirs = parseWorkerIdentity(elsewhere)?.directoryId;
  const found = theirs === undefined || theirs === '' ? 'no directory that it knows' : `the directory ${theirs}`;
  throw new BackupError(
    'DirectoryUnknown',
    `cannot trust the worker ${elsewhere}: because it writes to ${found}, and ${local.root} is ${hereId}`,
    { hint: 'give both the same backup_dir (a mount is missing?), and start the worker again' },
  );
}

async function pollersOf({ client }: TemporalAccess, input: QueuePollersInput): Promise<string[]> {
  const { taskQueue } = input;
  const pollers = await queuePollers(await whereConnected(`whether a worker polls ${taskQueue}`, client), input);
  if (pollers.length > 0) return pollers;
  throw new BackupError('Unpolled', `cannot run anything on ${taskQueue}: because no worker polls it`, {
    hint: 'start a worker (docker compose up -d, or npm start), with the same TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE as here',
  });
}

function named(pollers: readonly string[]): string {
  return `polled by ${pollers.join(', ')}`;
}
