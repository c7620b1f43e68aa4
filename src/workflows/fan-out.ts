import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { RunPlan } from '../domain/run.js';
import type { Target } from '../domain/target.js';
import type { TargetResult } from '../domain/outcome.js';
import { hostQueue } from '../domain/task-queues.js';
import { orchestrator, unpolledText } from './activities.js';
import { failureText } from './failures.js';
import type { RunState } from './run-state.js';
import { TargetTaken, backUpInChild } from './target-child.js';

/**
 * Backs up the targets of a plan, `max_parallel` of each host at a time, so that a host whose worker is gone keeps nobody else waiting.
 * Never rejects: what became of each stands in `state`.
 */
export async function fanOut(plan: RunPlan, state: RunState): Promise<void> {
  const hosts = [...new Set(plan.targets.map((t) => t.host))];
  await Promise.all(hosts.map((host) => backUpHost(plan, host, state)));
}

async function backUpHost(plan: RunPlan, host: string, state: RunState): Promise<void> {
  const waiting = globalsFirst(plan.targets.filter((t) => t.host === host));
  let isUnpolled = false;
  const lane = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      // One target has waited for its worker already; the others need not, each for as long.
      if (isUnpolled) isUnpolled = await failUnpolled(target, state);
      if (!isUnpolled) isUnpolled = await backUp(plan, target, state);
    }
  };
  await Promise.all(Array.from({ length: plan.settings.maxParallel }, lane));
}

/** A drill right after a capture takes its roles from the globals of the run. */
function globalsFirst(targets: readonly Target[]): Target[] {
  const isGlobals = ({ kind }: Target) => kind === 'globals';
  return [...targets.filter(isGlobals), ...targets.filter((target) => !isGlobals(target))];
}

/** Returns whether the target's host is still without a worker, and the target has failed. */
async function failUnpolled(target: Target, state: RunState): Promise<boolean> {
  if (CancellationScope.current().consideredCancelled || (await isPolled(target.host))) return false;
  const error = unpolledText(target.host);
  state.settle({ target: target.name, kind: target.kind, host: target.host, outcome: 'failed', error });
  return true;
}

/** Unknown counts as polled: the target finds out for itself. */
async function isPolled(host: string): Promise<boolean> {
  try {
    return await orchestrator.isQueuePolled({ taskQueue: hostQueue(host) });
  } catch {
    return true;
  }
}

/** Returns whether no worker of its host took it. */
async function backUp(plan: RunPlan, target: Target, state: RunState): Promise<boolean> {
  const { service, run, destinations, settings, searchAttributes } = plan;
  const directoryId = plan.directoryIds[target.host];
  const id = { target: target.name, kind: target.kind, host: target.host };
  if (CancellationScope.current().consideredCancelled) {
    state.settle({ ...id, ...state.unfinished('start') });
    return false;
  }
  state.started(target);
  try {
    const deadlineAt = new Date(workflowInfo().startTime.getTime() + settings.deadlineMs).toISOString();
    const known = directoryId === undefined ? {} : { directoryId };
    const settled = await backUpInChild({
      ...{ service, run, target, destinations, settings, deadlineAt, ...known },
      ...(searchAttributes !== undefined && { searchAttributes }),
    });
    state.settleChild(target.host, settled);
    return settled.isUnpolled ?? false;
  } catch (error) {
    state.settle({ ...id, ...becauseOf(error, target, state) });
    return false;
  }
}

function becauseOf(error: unknown, target: Target, state: RunState): Pick<TargetResult, 'outcome' | 'error'> {
  if (error instanceof TargetTaken)
    return { outcome: 'skipped', error: `skipped ${target.name}: because ${error.message}` };
  if (isCancellation(error)) return state.unfinished('finish');
  return { outcome: 'failed', error: failureText(error, `back up ${target.name}`) };
}
