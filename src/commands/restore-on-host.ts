import { randomBytes } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { BackupError } from '../domain/errors.js';
import type { RestorePlan, RestoreRequest } from '../domain/restore-plan.js';
import type { RestoreReport, RestoreTargetInput } from '../domain/restore-target.js';
import { ORCHESTRATOR_QUEUE, hostQueue, restoreTargetWorkflowId } from '../domain/task-queues.js';
import type { BaseRuntime } from '../runtime.js';
import { findConfigured } from '../steps/configured-target.js';
import { queuePollers } from '../temporal/pollers.js';
import type { RestoreTarget } from '../workflows/restore-target.js';
import { followRestore } from './follow-restore.js';
import { Interrupt } from './interrupt.js';
import type { ProgressLine } from './progress-line.js';
import { findService } from './service.js';

export interface RestoreOnHostInput {
  runtime: BaseRuntime;
  client: Client;
  host: string;
  request: RestoreRequest;
  planOnly: boolean;
  detach: boolean;
  progress: ProgressLine;
  say: (text: string) => void;
  onPlanned: (plan: RestorePlan) => void;
}

/** Has the worker of a host restore, and follows that; the id of its workflow where it goes on without us. */
export async function restoreOnHost(input: RestoreOnHostInput): Promise<RestoreReport | { workflowId: string }> {
  const { runtime, client, host, request } = input;
  const workflowId = restoreTargetWorkflowId({ service: await findService(runtime, client), target: request.target });
  await requirePolled(input);
  await start(input, workflowId);
  if (input.detach) return { workflowId };
  const { progress, say, onPlanned } = input;
  say(`the worker of ${host} restores ${request.target} (${workflowId})`);
  const ending = await followRestore({
    ...{ client, workflowId, interrupt: new Interrupt() },
    ...{ progress, say, onPlanned },
  });
  return ending === 'detached' ? { workflowId } : ending;
}

async function start({ client, runtime, host, request, planOnly }: RestoreOnHostInput, workflowId: string) {
  const { run: settings, timeoutMs } = runtime.config.backup;
  const configured = findConfigured(runtime.config, request.target);
  const { attempts, retryDelayMs, heartbeatTimeoutMs, unpolledTimeoutMs, stallTimeoutMs } = settings;
  const args: RestoreTargetInput = {
    service: workflowId.slice(0, workflowId.indexOf('/restore/')),
    ...{ host, request, planOnly },
    restoreToken: randomBytes(4).toString('hex'),
    settings: { attempts, retryDelayMs, heartbeatTimeoutMs, unpolledTimeoutMs, stallTimeoutMs },
    timeoutMs: configured?.state.is === 'enabled' ? configured.state.target.timeoutMs : timeoutMs,
  };
  try {
    await client.workflow.start<typeof RestoreTarget>('RestoreTarget', {
      workflowId,
      taskQueue: ORCHESTRATOR_QUEUE,
      args: [args],
      staticSummary: `${planOnly ? 'plan a restore' : 'restore'} of ${request.target} on ${host}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const hint = `wait for it, or cancel it in the Web UI (${workflowId})`;
    throw new BackupError('Conflict', `cannot restore ${request.target}: because a restore of it goes on`, { hint });
  }
}

async function requirePolled({ client, host, request: { target } }: RestoreOnHostInput): Promise<void> {
  const queues = [
    { taskQueue: ORCHESTRATOR_QUEUE, type: 'workflow' },
    { taskQueue: hostQueue(host), type: 'activity' },
  ] as const;
  for (const queue of queues) {
    if ((await queuePollers(client, queue)).length > 0) continue;
    throw new BackupError('Unpolled', `cannot restore ${target}: because no worker polls ${queue.taskQueue}`, {
      hint: 'see that the worker of that host runs, and that its BACKUP_HOST says so; `backupctl doctor` shows what else is missing',
    });
  }
}
