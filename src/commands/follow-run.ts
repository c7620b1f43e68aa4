import { setTimeout as delay } from 'node:timers/promises';
import {
  ApplicationFailure,
  CancelledFailure,
  ServiceError,
  WorkflowFailedError,
  isGrpcServiceError,
  isRetryableError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { BackupError, type ErrorCode } from '../domain/errors.js';
import type { RunReport } from '../domain/run.js';
import { RUN_PROGRESS_QUERY, TARGET_PHASE_QUERY, type RunProgress, type TargetPhase } from '../domain/steps.js';
import { targetWorkflowId } from '../domain/task-queues.js';
import type { Interrupt, InterruptChoice } from './interrupt.js';
import { changedLines, type ShownPhases } from './run-lines.js';

const POLL_MS = 300;
const QUERY_TIMEOUT_MS = 3_000;

export interface FollowRunInput {
  client: Client;
  workflowId: string;
  line: (text: string) => void;
  interrupt: Interrupt;
}

/**
 * Follows a run to its end, with a line for each change of a target; a server that is away meanwhile is waited for, since
 * the run goes on without it too. Throws where the run could not be planned.
 */
export async function followRun(input: FollowRunInput): Promise<RunReport | 'detached'> {
  const { client, workflowId, line, interrupt } = input;
  const handle = client.workflow.getHandle(workflowId);
  const shown: ShownPhases = new Map();
  let isDetached = false;
  let isAway = false;
  const obey = async (choice: Promise<InterruptChoice>) => {
    const chosen = await choice;
    if (chosen === 'detach') isDetached = true;
    if (chosen === 'cancel') await cancel(handle, interrupt);
  };
  const stopWatching = interrupt.watch((choice) => void obey(choice));
  try {
    // One call after the other: none is under way when the connection is closed, which the client would not survive.
    while (!isDetached) {
      const found = await lookForEnd(handle);
      if ((found === 'unknown') !== isAway) interrupt.say(isAway ? 'the Temporal server answers again' : AWAY);
      if (typeof found !== 'string') return showLast(found);
      isAway = found === 'unknown';
      const progress = isAway ? undefined : await progressOf(client, handle);
      if (progress !== undefined) changedLines(shown, progress).forEach(line);
      await delay(POLL_MS);
    }
    return 'detached';
  } finally {
    stopWatching();
  }

  function showLast(report: RunReport): RunReport {
    const targets = report.targets.map((result) => ({ ...result, phase: 'done' as const, result }));
    changedLines(shown, { run: report.run, targets }).forEach(line);
    return report;
  }
}

const AWAY = 'the Temporal server does not answer; waiting for it (the run itself may go on)';

async function lookForEnd(handle: WorkflowHandle): Promise<RunReport | 'running' | 'unknown'> {
  try {
    if ((await handle.describe()).status.name === 'RUNNING') return 'running';
    return await reportOfEnded(handle);
  } catch (error) {
    if (error instanceof ServiceError && isServerAway(error.cause)) return 'unknown';
    throw error;
  }
}

function isServerAway(cause: unknown): boolean {
  return isGrpcServiceError(cause) && (isRetryableError(cause) || Number(cause.code) === DEADLINE_EXCEEDED);
}

const DEADLINE_EXCEEDED = 4; // of gRPC

async function cancel(handle: WorkflowHandle, interrupt: Interrupt): Promise<void> {
  try {
    await handle.cancel();
    interrupt.say('cancelling the run');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    interrupt.say(`cannot cancel the run: because ${reason}\nHINT: try again when the Temporal server answers`);
  }
}

/** A query waits for a worker, and for ever where none lives. */
function withDeadline<T>(client: Client, query: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, query);
}

/** Undefined while no worker answers: the run waits, and so does whoever follows it. */
export async function progressOf(client: Client, handle: WorkflowHandle): Promise<RunProgress | undefined> {
  try {
    const progress = await withDeadline(client, () => handle.query<RunProgress>(RUN_PROGRESS_QUERY));
    const service = handle.workflowId.slice(0, handle.workflowId.lastIndexOf('/run'));
    for (const row of progress.targets.filter((t) => t.phase === 'capturing')) {
      row.phase = await phaseOf(client, targetWorkflowId({ service, kind: row.kind, target: row.target }));
    }
    return progress;
  } catch {
    return undefined;
  }
}

async function phaseOf(client: Client, childWorkflowId: string): Promise<TargetPhase> {
  try {
    const child = client.workflow.getHandle(childWorkflowId);
    return await withDeadline(client, () => child.query<TargetPhase>(TARGET_PHASE_QUERY));
  } catch {
    return 'capturing';
  }
}

async function reportOfEnded(handle: WorkflowHandle): Promise<RunReport> {
  try {
    return (await handle.result()) as RunReport;
  } catch (error) {
    return reportOfFailure(handle, error);
  }
}

async function reportOfFailure(handle: WorkflowHandle, error: unknown): Promise<RunReport> {
  if (!(error instanceof WorkflowFailedError)) throw error;
  const { cause } = error;
  if (cause instanceof ApplicationFailure && cause.details?.[0] !== undefined) return cause.details[0] as RunReport;
  if (cause instanceof CancelledFailure) {
    const report = (await handle.query<RunProgress>(RUN_PROGRESS_QUERY).catch(() => undefined))?.report;
    return report ?? { run: '', workflowId: handle.workflowId, outcome: 'cancelled', targets: [], warnings: [] };
  }
  throw asBackupError(cause ?? error);
}

/** The plan's own error, out of the wrappers that Temporal puts around it. */
function asBackupError(error: Error): BackupError {
  const root = rootCause(error);
  const [message = '', hintLine] = root.message.split('\nHINT: ');
  const code = root instanceof ApplicationFailure ? ((root.type ?? 'Failed') as ErrorCode) : 'Failed';
  return new BackupError(code, message, hintLine === undefined ? {} : { hint: hintLine });
}

function rootCause(error: Error): Error {
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}
