import {
  CancelledFailure,
  WorkflowFailedError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { BackupError } from '../domain/errors.js';
import type { RestorePlan } from '../domain/restore-plan.js';
import { RESTORE_PLAN_QUERY, type RestoreReport } from '../domain/restore-target.js';
import { pendingSteps } from '../temporal/pending-steps.js';
import { asBackupError, followWorkflow } from './follow-workflow.js';
import type { Interrupt } from './interrupt.js';
import type { ProgressLine } from './progress-line.js';
import { isShown, notices } from './step-text.js';

const ANSWER_TIMEOUT_MS = 3_000;

export interface FollowRestoreInput {
  client: Client;
  workflowId: string;
  interrupt: Pick<Interrupt, 'watch'>;
  progress: ProgressLine;
  say: (text: string) => void;
  onPlanned: (plan: RestorePlan) => void;
}

/** Follows a restore by a worker to its end; see `followWorkflow`. Throws what it failed with, and Cancelled. */
export async function followRestore(input: FollowRestoreInput): Promise<RestoreReport | 'detached'> {
  const { client, workflowId, interrupt, progress, say } = input;
  const handle = client.workflow.getHandle(workflowId);
  const shown = new Set<string>();
  let plan: RestorePlan | undefined;
  const showPlan = (found: RestorePlan | undefined) => {
    if (plan === undefined && found !== undefined) input.onPlanned(found);
    plan ??= found;
  };
  try {
    const ending = await followWorkflow({
      ...{ handle, noun: 'restore', interrupt },
      display: { say, pause: () => progress.clear(), resume: () => undefined },
      async show(description) {
        if (plan === undefined) showPlan(await askForPlan(client, handle));
        await showSteps(input, description, { shown, totalBytes: plan?.sizeBytes });
      },
      ending: () => reportOf(handle),
    });
    if (ending !== 'detached') showPlan(ending.plan);
    return ending;
  } finally {
    progress.clear();
  }
}

interface Shown {
  shown: Set<string>;
  totalBytes: number | undefined;
}

async function showSteps(
  { client, progress, say }: FollowRestoreInput,
  description: WorkflowExecutionDescription,
  { shown, totalBytes }: Shown,
): Promise<void> {
  for (const step of (await pendingSteps(client, description)).filter(isShown)) {
    for (const { key, text } of notices(step, Date.now())) {
      const once = `${step.activity} ${step.id} ${key}`;
      if (!shown.has(once)) say(text);
      shown.add(once);
    }
    if (step.progress !== undefined) progress.show(step.progress.bytesDone, totalBytes);
  }
}

/** A question waits for a worker, and for ever where none lives. */
function askForPlan(client: Client, handle: WorkflowHandle): Promise<RestorePlan | undefined> {
  const ask = () => handle.query<RestorePlan | undefined>(RESTORE_PLAN_QUERY);
  return client.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, ask).catch(() => undefined);
}

async function reportOf(handle: WorkflowHandle): Promise<RestoreReport> {
  try {
    return (await handle.result()) as RestoreReport;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (error.cause instanceof CancelledFailure) {
      throw new BackupError('Cancelled', 'cannot finish the restore: because it was cancelled', {
        hint: 'everything is as it was before',
      });
    }
    throw asBackupError(error.cause ?? error);
  }
}
