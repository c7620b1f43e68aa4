import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { TargetOutcome } from '../domain/outcome.js';
import type { RestoredTarget, RestorePlan } from '../domain/restore-plan.js';
import {
  RESTORE_PLAN_QUERY,
  type RestoreReport,
  type RestoreStepInput,
  type RestoreTargetInput,
} from '../domain/restore-target.js';
import { onHost, restores } from './activities.js';
import { failureText, rootFailure } from './failures.js';
import { setFoundBy } from './found-by.js';
import { restoreDetails, type RestorePhase } from './restore-details.js';

export const restorePlanQuery = defineQuery<RestorePlan | undefined>(RESTORE_PLAN_QUERY);

/**
 * Restores one target by the worker of a host: plans, then does what was planned, of that very run. After a failure or cancellation everything
 * is as it was. Fails with the type of the error (`Conflict`, `NotFound`, …), which is what the same restore in a command's process fails with.
 */
export async function RestoreTarget(input: RestoreTargetInput): Promise<RestoreReport> {
  const { service, host, restoreToken, settings, timeoutMs, request, planOnly } = input;
  const { target } = request;
  const { stallTimeoutMs } = settings;
  let plan: RestorePlan | undefined;
  let restored: RestoredTarget | undefined;
  setHandler(restorePlanQuery, () => plan);
  const show = (phase: RestorePhase, error?: string) =>
    setCurrentDetails(restoreDetails({ target, host, phase, plan, restored, error }));
  const end = async (outcome: TargetOutcome, error?: string) => {
    show(outcome, error);
    await setFoundBy({ outcome, failedTargets: outcome === 'failed' ? [target] : [] });
  };
  const step = (summary: string) => restores({ host, settings, timeoutMs, summary });
  const startedAt = workflowInfo().startTime.toISOString();
  const common: RestoreStepInput = { service, restoreToken, startedAt, request, stallTimeoutMs };
  show('planning');
  await setFoundBy({ targets: [target] });
  try {
    const planned = await onHost(host, () => step(`plan restore of ${target}`).planRestore(common));
    plan = planned;
    if (!planOnly) {
      show('restoring');
      await setFoundBy({ run: planned.run });
      const fixed = { ...common, request: { ...request, run: planned.run } };
      restored = await onHost(host, () => step(`restore ${target} into ${planned.into}`).restoreTarget(fixed));
    }
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(() => end('cancelled'));
      throw error;
    }
    const text = failureText(error, `restore ${target}`);
    await end('failed', text);
    const root = rootFailure(error);
    throw ApplicationFailure.nonRetryable(text, (root instanceof ApplicationFailure && root.type) || 'RestoreFailed');
  }
  await end('succeeded');
  const durationMs = Date.now() - workflowInfo().startTime.getTime();
  return { plan, ...(restored !== undefined && { restored }), durationMs };
}
