import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  BackupPartInput,
  BackupPartResult,
  BackupTargetInput,
  BackupTargetResult,
  ChildHolder,
} from '../domain/steps.js';
import { partWorkflowId, targetWorkflowId } from '../domain/task-queues.js';
import { childWaiter, orchestrator } from './activities.js';
import type { BackupPart } from './backup-part.js';
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
  return inChild({
    childWorkflowId,
    start: () => start(childWorkflowId, input),
    awaitStarted: () => childWaiter.awaitChild({ childWorkflowId }),
  });
}

/** Some targets of this run, as `backUpInChild` does one. */
export async function backUpPart(part: number, input: BackupPartInput): Promise<BackupPartResult> {
  const childWorkflowId = partWorkflowId(workflowInfo().workflowId, part);
  const { run, targets } = input;
  return inChild({
    childWorkflowId,
    start: () =>
      startChild<typeof BackupPart>('BackupPart', {
        ...childOptions(childWorkflowId, run),
        args: [input],
        staticSummary: `part ${part} of run ${run}: ${targets.length} targets`,
      }),
    awaitStarted: () => childWaiter.awaitPart({ childWorkflowId }),
  });
}

interface InChildInput<Result> {
  childWorkflowId: string;
  start(): Promise<{ result(): Promise<Result> }>;
  /** The result of one that this run has started before. */
  awaitStarted(): Promise<Result>;
}

async function inChild<Result>({ childWorkflowId, start, awaitStarted }: InChildInput<Result>): Promise<Result> {
  for (;;) {
    try {
      const child = await start();
      return await detailsOnFailure(child.result());
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const holder = await orchestrator.findChildHolder({ childWorkflowId });
    // After a reset this run's own child may still be running: its result is ours.
    if (holder?.parentWorkflowId === workflowInfo().workflowId) {
      return await detailsOnFailure(awaitStarted());
    }
    if (holder !== undefined) throw new TargetTaken(holder);
  }
}

function start(workflowId: string, input: BackupTargetInput) {
  return startChild(BackupTarget, {
    ...childOptions(workflowId, input.run),
    args: [input],
    staticSummary: `back up ${input.target.name} in run ${input.run}`,
  });
}

function childOptions(workflowId: string, run: string) {
  return {
    workflowId,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    memo: { parentWorkflowId: workflowInfo().workflowId, run },
  };
}

async function detailsOnFailure<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    const root = rootFailure(error);
    if (root instanceof ApplicationFailure && root.type === 'TargetFailed' && root.details?.[0] !== undefined) {
      return root.details[0] as Result;
    }
    throw error;
  }
}
