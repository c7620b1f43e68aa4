import { setTimeout as delay } from 'node:timers/promises';
import {
  ApplicationFailure,
  CancelledFailure,
  WorkflowFailedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { BackupError, type ErrorCode } from '../domain/errors.js';
import type { RunReport } from '../domain/run.js';
import { RUN_PROGRESS_QUERY, TARGET_PHASE_QUERY, type RunProgress, type TargetPhase } from '../domain/steps.js';
import { targetWorkflowId } from '../domain/task-queues.js';
import type { Interrupt } from './interrupt.js';
import { changedLines, type ShownPhases } from './run-lines.js';

const POLL_MS = 500;

export interface FollowRunInput {
  client: Client;
  workflowId: string;
  line: (text: string) => void;
  interrupt: Interrupt;
}

/** Follows a run to its end, with a line for each change of a target. Throws where the run could not be planned. */
export async function followRun({
  client,
  workflowId,
  line,
  interrupt,
}: FollowRunInput): Promise<RunReport | 'detached'> {
  const handle = client.workflow.getHandle(workflowId);
  const shown: ShownPhases = new Map();
  const ended = handle.result().then(
    (report) => report as RunReport,
    (error: unknown) => reportOfFailure(handle, error),
  );
  let isOver = false;
  void ended.catch(() => undefined).then(() => (isOver = true));
  const detached = new Promise<'detached'>((resolve) => {
    const stop = interrupt.watch(async (choice) => {
      const chosen = await choice;
      if (chosen === 'detach') resolve('detached');
      if (chosen === 'cancel') {
        interrupt.say('cancelling the run');
        await handle.cancel();
      }
    });
    void ended.catch(() => undefined).then(stop);
  });
  const showing = show();
  const ending = await Promise.race([ended, detached]);
  if (ending === 'detached') isOver = true;
  await showing;
  if (ending !== 'detached') showLast(ending);
  return ending;

  async function show(): Promise<void> {
    while (!isOver) {
      const progress = await progressOf(client, handle);
      if (progress !== undefined) changedLines(shown, progress).forEach(line);
      await delay(POLL_MS);
    }
  }

  function showLast(report: RunReport): void {
    const targets = report.targets.map((result) => ({ ...result, phase: 'done' as const, result }));
    changedLines(shown, { run: report.run, targets }).forEach(line);
  }
}

/** Undefined while no worker answers: the run waits, and so does whoever follows it. */
export async function progressOf(client: Client, handle: WorkflowHandle): Promise<RunProgress | undefined> {
  try {
    const progress = await handle.query<RunProgress>(RUN_PROGRESS_QUERY);
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
    return await client.workflow.getHandle(childWorkflowId).query<TargetPhase>(TARGET_PHASE_QUERY);
  } catch {
    return 'capturing';
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
