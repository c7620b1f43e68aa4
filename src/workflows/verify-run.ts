import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { verifyTargetWorkflowId } from '../domain/task-queues.js';
import {
  verdictText,
  verifyOutcome,
  type PlannedVerification,
  type VerifyPlan,
  type VerifyReport,
  type VerifyRunInput,
  type VerifyTargetResult,
} from '../domain/verify-run.js';
import { orchestrator } from './activities.js';
import { failureText, rootFailure } from './failures.js';
import { setFoundBy } from './found-by.js';
import { verifyDetails } from './verify-details.js';
import { VerifyTarget, VERDICTS } from './verify-target.js';

/** A failure's message is for a glance; its details hold the whole report. */
const SHOWN_FAILURES = 20;

/**
 * Verifies the newest artifact of each target of a schedule, one after the other on each host, since a drill takes a server and a disk for
 * itself. Completes where all are verified; else fails, with the report as details.
 */
export async function VerifyRun(input: VerifyRunInput): Promise<VerifyReport> {
  const plan = await orchestrator.planVerification(input);
  const { targets: planned, searchAttributes } = plan;
  const names = planned.map(({ target }) => target);
  if (searchAttributes) await setFoundBy({ targets: names });
  const results: VerifyTargetResult[] = [];
  const show = () => setCurrentDetails(verifyDetails(results, planned.length - results.length));
  show();
  const verifyHost = async (host: string) => {
    for (const target of planned.filter((t) => t.host === host)) {
      results.push(await verifyInChild(plan, target));
      show();
    }
  };
  await Promise.all([...new Set(planned.map(({ host }) => host))].map(verifyHost));
  return conclude({ outcome: verifyOutcome(results), targets: results }, searchAttributes);
}

/** Throws on cancellation alone. */
async function verifyInChild(plan: VerifyPlan, target: PlannedVerification): Promise<VerifyTargetResult> {
  const { service, settings, searchAttributes } = plan;
  const { target: name, kind, method } = target;
  const unverified = (reason: string): VerifyTargetResult => {
    return { ...{ target: name, kind, method }, outcome: 'unverified', reason, notes: [], durationMs: 0 };
  };
  try {
    return await executeChild(VerifyTarget, {
      workflowId: verifyTargetWorkflowId({ service, kind, target: name }),
      args: [{ service, settings, searchAttributes, target }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `verify ${name}`,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (error instanceof WorkflowExecutionAlreadyStartedError) return unverified('another verification of it goes on');
    const root = rootFailure(error);
    if (root instanceof ApplicationFailure && Object.values(VERDICTS).includes(root.type ?? ''))
      return root.details?.[0] as VerifyTargetResult;
    return unverified(failureText(error, `verify ${name}`));
  }
}

async function conclude(report: VerifyReport, searchAttributes: boolean): Promise<VerifyReport> {
  const missed = report.targets.filter(({ outcome }) => outcome !== 'verified');
  if (searchAttributes)
    await setFoundBy({
      outcome: report.outcome === 'verified' ? 'succeeded' : 'failed',
      failedTargets: missed.map(({ target }) => target),
    });
  if (report.outcome === 'verified') return report;
  const first = `${missed.length} of ${report.targets.length} targets are not verified`;
  const why = missed.slice(0, SHOWN_FAILURES).map(verdictText);
  throw ApplicationFailure.nonRetryable([first, ...why].join('\n'), VERDICTS[report.outcome], report);
}
