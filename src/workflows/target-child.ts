import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { BackupTargetInput, BackupTargetResult, ChildHolder } from '../domain/steps.js';
import { targetWorkflowId } from '../domain/task-queues.js';
import { childWaiter, orchestrator } from './activities.js';
import { BackupTarget } from './backup-target.js';
import { rootFailure } from './failures.js';

/** Another run is backing up the same target. */
export class TargetTaken extends Error {
  constructor(readonly holder: ChildHolder) {
    super(`run ${holder.run} (${holder.parentWorkflowId}) is backing it up`);
  }
}

/**
 * Backs up one target in a child workflow whose id is the target's lock. Resolves with what became of it, also where it failed; throws
 * TargetTaken where another run holds it, and on cancellation.
 */
export async function backUpInChild(input: BackupTargetInput): Promise<BackupTargetResult> {
  const childWorkflowId = targetWorkflowId({
    service: input.service,
    kind: input.target.kind,
    target: input.target.name,
  });
  for (;;) {
    try {
      const child = await start(childWorkflowId, input);
      return await detailsOnFailure(child.result());
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const holder = await orchestrator.findChildHolder({ childWorkflowId });
    // After a reset this run's own child may still be running: its result is ours.
    if (holder?.parentWorkflowId === workflowInfo().workflowId) {
      return await detailsOnFailure(childWaiter.awaitChild({ childWorkflowId }));
    }
    if (holder !== undefined) throw new TargetTaken(holder);
  }
}

function start(workflowId: string, input: BackupTargetInput) {
  return startChild(BackupTarget, {
    workflowId,
    args: [input],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    memo: { parentWorkflowId: workflowInfo().workflowId, run: input.run },
    staticSummary: `back up ${input.target.name} in run ${input.run}`,
  });
}

async function detailsOnFailure(result: Promise<BackupTargetResult>): Promise<BackupTargetResult> {
  try {
    return await result;
  } catch (error) {
    const root = rootFailure(error);
    if (root instanceof ApplicationFailure && root.type === 'TargetFailed' && root.details?.[0] !== undefined) {
      return root.details[0] as BackupTargetResult;
    }
    throw error;
  }
}
