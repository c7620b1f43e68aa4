import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { runOutcome } from '../domain/outcome.js';
import type { BackupRunInput, RunPlan, RunReport } from '../domain/run.js';
import { orchestrator } from './activities.js';
import { failureText } from './failures.js';
import { fanOut } from './fan-out.js';
import { setFoundBy, type FoundBy } from './found-by.js';
import { plainLine } from './markdown.js';
import { pruneDestinations } from './prune.js';
import { runProgressQuery } from './queries.js';
import { recordOnHosts } from './record.js';
import { RunState } from './run-state.js';

/** A failure's message is for a glance, and bounded by the server; its details hold the whole report. */
const SHOWN_FAILURES = 20;

/**
 * One run: plan, a child for each target, prune, report. Completes with its report where every target succeeded or was skipped; fails as
 * `PartialRun` or `FailedRun` with the report as details, so that the Web UI shows it red.
 */
export async function BackupRun(input: BackupRunInput): Promise<RunReport> {
  const { workflowId, startTime } = workflowInfo();
  const state = new RunState(setCurrentDetails);
  setHandler(runProgressQuery, () => state.progress);

  const startedAt = startTime.toISOString();
  const plan = await orchestrator.planRun({ ...input, workflowId, startedAt }).catch((error: unknown) => {
    setCurrentDetails(plainLine(failureText(error, 'plan the run')));
    throw error;
  });
  state.planned(plan);
  const targetNames = state.progress.targets.map((t) => t.target);
  if (plan.searchAttributes) await setFoundBy({ run: plan.run, targets: targetNames });
  await untilDeadline(plan, state);
  const cancelled = CancellationScope.current().consideredCancelled;

  return CancellationScope.nonCancellable(async () => {
    const warnings = [...plan.warnings];
    if (!cancelled) warnings.push(...(await pruneDestinations(plan, state.brought)));
    const targets = state.results;
    const outcome = cancelled ? 'cancelled' : runOutcome(targets);
    const report: RunReport = { run: plan.run, workflowId, outcome, targets, warnings };
    const { run, service, destinations, reserved } = plan;
    const { trigger } = input;
    const planned = { run, service, destinations, reserved };
    const directoryIds = { ...plan.directoryIds, ...state.directoryIds };
    const finishedAt = new Date().toISOString();
    const record = { plan: planned, directoryIds, startedAt, finishedAt, trigger, report };
    report.warnings.push(...(await recordOnHosts(plan, state.brought, record)));
    report.warnings.push(...(await orchestrator.reportRun(record)));
    state.finished(report);
    if (plan.searchAttributes) await setFoundBy(foundByAtEnd(report));
    return conclude(report);
  });
}

/** Backs up all targets; what is left when the run's deadline passes is cancelled and counted as failed. */
async function untilDeadline(plan: RunPlan, state: RunState): Promise<void> {
  const fan = new CancellationScope();
  const timer = new CancellationScope();
  const elapsedMs = Date.now() - workflowInfo().startTime.getTime();
  const alarm = timer.run(async () => {
    await sleep(Math.max(1, plan.settings.deadlineMs - elapsedMs), { summary: 'deadline of the run' });
    state.deadlinePassed();
    fan.cancel();
  });
  alarm.catch(() => undefined); // cancelled below, when all targets were in time
  await fan.run(() => fanOut(plan, state));
  timer.cancel();
}

/** Failed targets come first in both lists, so that none of them is cut for one that is well. */
function foundByAtEnd({ outcome, targets }: RunReport): FoundBy {
  const names = (isFailed: boolean) =>
    targets.filter((t) => (t.outcome === 'failed') === isFailed).map((t) => t.target);
  const failedTargets = names(true);
  return { outcome, failedTargets, ...(failedTargets.length > 0 && { targets: [...failedTargets, ...names(false)] }) };
}

function conclude(report: RunReport): RunReport {
  if (report.outcome === 'cancelled') throw new CancelledFailure(`run ${report.run} was cancelled`, [report]);
  const failed = report.targets.filter((t) => t.outcome === 'failed');
  if (failed.length === 0) return report;
  const shown = failed.slice(0, SHOWN_FAILURES);
  const more = failed.length > shown.length ? ', …' : '';
  const names = shown.map((t) => t.target).join(', ') + more;
  const first = `${failed.length} of ${report.targets.length} targets failed: ${names}`;
  const why = shown.map((t) => `${t.target}: ${t.error ?? ''}`).join('\n');
  const type = report.outcome === 'failed' ? 'FailedRun' : 'PartialRun';
  throw ApplicationFailure.nonRetryable(`${first}\n${why}`, type, report);
}
