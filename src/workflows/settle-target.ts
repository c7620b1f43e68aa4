import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { TargetResult } from '../domain/outcome.js';
import type { BackupTargetInput, BackupTargetResult } from '../domain/steps.js';
import type { Target } from '../domain/target.js';
import { hostQueue } from '../domain/task-queues.js';
import { orchestrator, unpolledText } from './activities.js';
import { failureText } from './failures.js';
import { TargetTaken, backUpInChild } from './target-child.js';

export type Unfinished = Pick<TargetResult, 'outcome' | 'error'>;

/** What a cancelled target counts as: failed where its time was up, cancelled where a person asked for it. */
export function unfinished(step: 'start' | 'finish', { isLate }: { isLate: boolean }): Unfinished {
  if (!isLate) return { outcome: 'cancelled', error: 'cancelled with its run' };
  return { outcome: 'failed', error: `cannot ${step}: because the run's deadline passed` };
}

/** Backs up one target and never rejects: whatever happens to it is what became of it. */
export async function settleTarget(
  input: BackupTargetInput,
  unfinishedAt: (step: 'start' | 'finish') => Unfinished,
): Promise<BackupTargetResult> {
  const { target } = input;
  if (CancellationScope.current().consideredCancelled) return endOf(target, unfinishedAt('start'));
  try {
    return await backUpInChild(input);
  } catch (error) {
    if (isCancellation(error)) return endOf(target, unfinishedAt('finish'));
    if (error instanceof TargetTaken)
      return endOf(target, { outcome: 'skipped', error: `skipped ${target.name}: because ${error.message}` });
    return endOf(target, { outcome: 'failed', error: failureText(error, `back up ${target.name}`) });
  }
}

export function endOf({ name, kind, host }: Target, end: Unfinished): BackupTargetResult {
  return { result: { target: name, kind, host, ...end } };
}

/** A target whose host has no worker, as another one found by waiting: it need not wait as long. Undefined where it has one again. */
export async function settleUnpolled(target: Target): Promise<BackupTargetResult | undefined> {
  if (CancellationScope.current().consideredCancelled || (await isPolled(target.host))) return undefined;
  return { ...endOf(target, { outcome: 'failed', error: unpolledText(target.host) }), isUnpolled: true };
}

/** Unknown counts as polled: the target finds out for itself. */
async function isPolled(host: string): Promise<boolean> {
  try {
    return await orchestrator.isQueuePolled({ taskQueue: hostQueue(host) });
  } catch {
    return true;
  }
}
