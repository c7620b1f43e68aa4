import { setTimeout as delay } from 'node:timers/promises';
import {
  ApplicationFailure,
  CancelledFailure,
  ServiceError,
  WorkflowFailedError,
  isGrpcServiceError,
  isRetryableError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { BackupError, type ErrorCode } from '../domain/errors.js';
import type { RunReport } from '../domain/run.js';
import { RUN_PROGRESS_QUERY, type RunProgress } from '../domain/steps.js';
import type { Interrupt, InterruptChoice } from './interrupt.js';
import type { RunDisplay } from './run-display.js';
import { readRun, type RunView } from './run-view.js';

const POLL_MS = 300;

export interface FollowRunInput {
  client: Client;
  workflowId: string;
  display: RunDisplay;
  interrupt: Pick<Interrupt, 'watch'>;
}

/**
 * Follows a run to its end, and shows each change of it; a server that is away meanwhile is waited for, since the run goes on without it
 * too. Throws where the run could not be planned.
 */
export async function followRun(input: FollowRunInput): Promise<RunReport | 'detached'> {
  const { client, workflowId, display, interrupt } = input;
  const handle = client.workflow.getHandle(workflowId);
  let isDetached = false;
  let isAway = false;
  let last: RunView | undefined;
  const obey = async (choose: () => Promise<InterruptChoice>) => {
    display.pause();
    const chosen = await choose();
    display.resume();
    if (chosen === 'detach') isDetached = true;
    if (chosen === 'cancel') await cancel(handle, display);
  };
  const stopWatching = interrupt.watch((choose) => void obey(choose));
  try {
    // One call after the other: none is under way when the connection is closed, which the client would not survive.
    while (!isDetached) {
      const found = await lookForEnd(handle);
      if ((found === 'unknown') !== isAway) display.say(isAway ? 'the Temporal server answers again' : AWAY);
      isAway = found === 'unknown';
      if (found !== 'unknown') {
        if ('report' in found) return showLast(found.report, display);
        last = await readRun({ client, handle, ...found, ...(last !== undefined && { last }) });
        display.show(last);
      }
      await delay(POLL_MS);
    }
    return 'detached';
  } finally {
    stopWatching();
    display.end();
  }
}

function showLast(report: RunReport, display: RunDisplay): RunReport {
  const targets = report.targets.map((result) => ({ ...result, phase: 'done' as const, result }));
  display.show({ run: report.run, targets, steps: [], answered: true });
  return report;
}

const AWAY = 'the Temporal server does not answer; waiting for it (the run itself may go on)';

type Found = { description: WorkflowExecutionDescription } | { report: RunReport };

async function lookForEnd(handle: WorkflowHandle): Promise<Found | 'unknown'> {
  try {
    const description = await handle.describe();
    if (description.status.name === 'RUNNING') return { description };
    return { report: await reportOfEnded(handle) };
  } catch (error) {
    if (error instanceof ServiceError && isServerAway(error.cause)) return 'unknown';
    throw error;
  }
}

function isServerAway(cause: unknown): boolean {
  return isGrpcServiceError(cause) && (isRetryableError(cause) || Number(cause.code) === DEADLINE_EXCEEDED);
}

const DEADLINE_EXCEEDED = 4; // of gRPC

async function cancel(handle: WorkflowHandle, display: RunDisplay): Promise<void> {
  try {
    await handle.cancel();
    display.say('cancelling the run');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    display.say(`cannot cancel the run: because ${reason}\nHINT: try again when the Temporal server answers`);
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
