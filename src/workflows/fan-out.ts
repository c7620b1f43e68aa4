import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { RunPlan } from '../domain/run.js';
import type { Target } from '../domain/target.js';
import type { TargetResult } from '../domain/outcome.js';
import { failureText } from './failures.js';
import type { RunState } from './run-state.js';
import { TargetTaken, backUpInChild } from './target-child.js';

/** Backs up the targets of a plan, `max_parallel` at a time. Never rejects: what became of each stands in `state`. */
export async function fanOut(plan: RunPlan, state: RunState): Promise<void> {
  const waiting = [...plan.targets];
  const lane = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      await backUp(plan, target, state);
    }
  };
  await Promise.all(Array.from({ length: plan.settings.maxParallel }, lane));
}

async function backUp(plan: RunPlan, target: Target, state: RunState): Promise<void> {
  const { service, run, destinations, settings, searchAttributes } = plan;
  const directoryId = plan.directoryIds[target.host];
  const id = { target: target.name, kind: target.kind };
  if (CancellationScope.current().consideredCancelled) {
    state.settle({ ...id, ...state.unfinished('start') });
    return;
  }
  state.started(target);
  try {
    const deadlineAt = new Date(workflowInfo().startTime.getTime() + settings.deadlineMs).toISOString();
    const known = directoryId === undefined ? {} : { directoryId };
    const { result, brought } = await backUpInChild({
      ...{ service, run, target, destinations, settings, deadlineAt, ...known },
      ...(searchAttributes !== undefined && { searchAttributes }),
    });
    state.settle(result, brought);
  } catch (error) {
    state.settle({ ...id, ...becauseOf(error, target, state) });
  }
}

function becauseOf(error: unknown, target: Target, state: RunState): Pick<TargetResult, 'outcome' | 'error'> {
  if (error instanceof TargetTaken)
    return { outcome: 'skipped', error: `skipped ${target.name}: because ${error.message}` };
  if (isCancellation(error)) return state.unfinished('finish');
  return { outcome: 'failed', error: failureText(error, `back up ${target.name}`) };
}
