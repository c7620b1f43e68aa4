import {
  ApplicationFailure,
  CancelledFailure,
  WorkflowFailedError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import type { RunReport } from '../domain/run.js';
import { RUN_PROGRESS_QUERY, type RunProgress } from '../domain/steps.js';
import { asBackupError, followWorkflow } from './follow-workflow.js';
import type { Interrupt } from './interrupt.js';
import type { RunDisplay } from './run-display.js';
import { readRun, type RunView } from './run-view.js';

export interface FollowRunInput {
  client: Client;
  workflowId: string;
  display: RunDisplay;
  interrupt: Pick<Interrupt, 'watch'>;
}

/** Follows a run to its end, and shows each change of it; see `followWorkflow`. Throws where the run could not be planned. */
export async function followRun(input: FollowRunInput): Promise<RunReport | 'detached'> {
  const { client, workflowId, display, interrupt } = input;
  const handle = client.workflow.getHandle(workflowId);
  let last: RunView | undefined;
  try {
    const ending = await followWorkflow({
      ...{ handle, noun: 'run', interrupt, display },
      async show(description) {
        last = await readRun({ client, handle, description, ...(last !== undefined && { last }) });
        display.show(last);
      },
      ending: () => reportOfEnded(handle),
    });
    if (ending !== 'detached') showLast(ending, display);
    return ending;
  } finally {
    display.end();
  }
}

function showLast(report: RunReport, display: RunDisplay): void {
  const targets = report.targets.map((result) => ({ ...result, phase: 'done' as const, result }));
  display.show({ run: report.run, targets, steps: [], answered: true });
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
