import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import { partsOf } from '../domain/parts.js';
import type { RunPlan } from '../domain/run.js';
import type { BackupTargetInput } from '../domain/steps.js';
import type { Target } from '../domain/target.js';
import { failureText } from './failures.js';
import type { RunState } from './run-state.js';
import { endOf, settleTarget, settleUnpolled } from './settle-target.js';
import { backUpPart } from './target-child.js';

/** What a lane takes at once: one target, or the targets of a part. */
interface Portion {
  /** Among all of the run. */
  number: number;
  targets: Target[];
}

/**
 * Backs up the targets of a plan, `max_parallel` of each host at a time, so that a host whose worker is gone keeps nobody else waiting.
 * Never rejects: what became of each stands in `state`.
 */
export async function fanOut(plan: RunPlan, state: RunState): Promise<void> {
  const hosts = [...new Set(plan.targets.map((t) => t.host))];
  let count = 0;
  const portions = hosts.map((host) =>
    portionsOf(plan, host).map((targets): Portion => ({ number: ++count, targets })),
  );
  await Promise.all(portions.map((waiting) => backUpHost(plan, waiting, state)));
}

function portionsOf({ targets, settings, partSize = 1 }: RunPlan, host: string): Target[][] {
  const ofHost = targets.filter((target) => target.host === host);
  // First: a drill right after a capture takes its roles from the globals of the run.
  const globals = ofHost.filter(isGlobals).map((target) => [target]);
  const others = ofHost.filter((target) => !isGlobals(target));
  return [...globals, ...partsOf({ targets: others, lanes: settings.maxParallel, partSize })];
}

function isGlobals({ kind }: Target): boolean {
  return kind === 'globals';
}

async function backUpHost(plan: RunPlan, waiting: Portion[], state: RunState): Promise<void> {
  let isUnpolled = false;
  const lane = async () => {
    for (let portion = waiting.shift(); portion !== undefined; portion = waiting.shift()) {
      const [target, ...more] = portion.targets;
      if (target === undefined) continue;
      isUnpolled =
        more.length === 0
          ? await backUp(plan, target, state, isUnpolled)
          : await backUpAll(plan, portion, state, isUnpolled);
    }
  };
  await Promise.all(Array.from({ length: plan.settings.maxParallel }, lane));
}

/** Returns whether no worker of its host took it. */
async function backUp(plan: RunPlan, target: Target, state: RunState, wasUnpolled: boolean): Promise<boolean> {
  // One target has waited for its worker already; the others need not, each for as long.
  const unpolled = wasUnpolled ? await settleUnpolled(target) : undefined;
  if (unpolled === undefined && !CancellationScope.current().consideredCancelled) state.started(target);
  const input = { ...commonInput(plan, target.host), target };
  const end = unpolled ?? (await settleTarget(input, (step) => state.unfinished(step)));
  state.settleChild(target.host, end);
  return end.isUnpolled ?? false;
}

/** The same of a part, in a child of its own. */
async function backUpAll(
  plan: RunPlan,
  { number, targets }: Portion,
  state: RunState,
  wasUnpolled: boolean,
): Promise<boolean> {
  const host = targets[0]?.host ?? '';
  const settleAll = (end: (target: Target) => ReturnType<RunState['unfinished']>) => {
    for (const target of targets) state.settleChild(host, endOf(target, end(target)));
    return false;
  };
  if (CancellationScope.current().consideredCancelled) return settleAll(() => state.unfinished('start'));
  try {
    const input = { ...commonInput(plan, host), host, targets, isUnpolled: wasUnpolled };
    const { settled, isUnpolled } = await backUpPart(number, input);
    for (const end of settled) state.settleChild(host, end);
    return isUnpolled;
  } catch (error) {
    if (isCancellation(error)) return settleAll(() => state.unfinished('finish'));
    return settleAll(({ name }) => ({ outcome: 'failed', error: failureText(error, `back up ${name}`) }));
  }
}

function commonInput(plan: RunPlan, host: string): Omit<BackupTargetInput, 'target'> {
  const { service, run, destinations, settings, searchAttributes } = plan;
  const directoryId = plan.directoryIds[host];
  return {
    ...{ service, run, destinations, settings },
    deadlineAt: new Date(workflowInfo().startTime.getTime() + settings.deadlineMs).toISOString(),
    ...(directoryId !== undefined && { directoryId }),
    ...(searchAttributes !== undefined && { searchAttributes }),
  };
}
