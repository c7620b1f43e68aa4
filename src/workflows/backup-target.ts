import { ApplicationFailure, isCancellation, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type {
  BackupTargetInput,
  BackupTargetResult,
  BroughtTarget,
  CapturedArtifact,
  TargetPhase,
} from '../domain/steps.js';
import type { TargetOutcome, TargetResult } from '../domain/outcome.js';
import type { DestinationKind } from '../domain/target.js';
import { verdictText, type VerifyTargetResult } from '../domain/verify-run.js';
import { UNPOLLED, captures, copies, onHost, type HostStep } from './activities.js';
import { failureText } from './failures.js';
import { setFoundBy } from './found-by.js';
import { targetPhaseQuery } from './queries.js';
import { targetDetails, type TargetDetailsInput } from './target-details.js';
import { verifyOnHost } from './verify-target.js';

/**
 * Captures one target, then brings its artifact to each other destination. Fails as `TargetFailed` with a BackupTargetResult as
 * details: a failed copy does not take away what was captured.
 */
export async function BackupTarget(input: BackupTargetInput): Promise<BackupTargetResult> {
  const { name, kind } = input.target;
  let phase: TargetPhase = 'capturing';
  let captured: CapturedArtifact | undefined;
  const brought: BroughtTarget['brought'] = {};
  const errors: string[] = [];
  let verified: VerifyTargetResult | undefined;
  let isUnpolled = false;
  const show = (shown: TargetDetailsInput['phase']) =>
    setCurrentDetails(targetDetails({ name, kind, run: input.run, phase: shown, captured, errors }));
  const end = async (outcome: TargetOutcome) => {
    phase = 'done';
    show(outcome);
    const failedTargets = outcome === 'failed' ? [name] : [];
    if (input.searchAttributes) await setFoundBy({ outcome, failedTargets });
  };
  setHandler(targetPhaseQuery, () => phase);
  show(phase);
  if (input.searchAttributes) await setFoundBy({ run: input.run, targets: [name] });
  try {
    captured = await capture(input);
    brought.local = 1;
    phase = 'copying';
    show(phase);
    for (const destination of input.destinations) {
      if (destination === 'local') continue;
      const error = await copy(input, captured, destination, brought);
      if (error !== undefined) errors.push(error);
    }
    if (isVerifiedNow(input, brought)) {
      phase = 'verifying';
      show(phase);
      verified = await verify(input);
      if (verified.outcome === 'failed') errors.push(verdictText(verified));
    }
  } catch (error) {
    if (isCancellation(error)) {
      await end(isLate(input) ? 'failed' : 'cancelled');
      throw error;
    }
    isUnpolled = error instanceof ApplicationFailure && error.type === UNPOLLED;
    errors.push(failureText(error, captureOf(input)));
  }
  await end(errors.length === 0 ? 'succeeded' : 'failed');
  return settle(input, { captured, brought, errors, isUnpolled, verified });
}

/** Whether the run's deadline has passed: what it ends counts as failed. */
function isLate({ deadlineAt }: BackupTargetInput): boolean {
  return Date.now() >= Date.parse(deadlineAt);
}

function captureOf({ target }: BackupTargetInput): string {
  return `${target.kind === 'volume' ? 'archive' : 'dump'} ${target.name}`;
}

function capture(input: BackupTargetInput): Promise<CapturedArtifact> {
  const { service, run, target, settings, directoryId } = input;
  const step = { ...slotted(input), summary: captureOf(input) };
  return onHost(target.host, () =>
    captures(step).captureTarget({
      service,
      run,
      target,
      stallTimeoutMs: settings.stallTimeoutMs,
      ...(directoryId !== undefined && { directoryId }),
    }),
  );
}

/** No step waits longer for a slot than its run may last. */
function slotted({ target: { host, timeoutMs }, settings, deadlineAt }: BackupTargetInput): Omit<HostStep, 'summary'> {
  const leftMs = Date.parse(deadlineAt) - Date.now(); // NaN in histories of 0.1, which know no deadline
  return { host, settings, timeoutMs, waitMs: leftMs > 0 ? leftMs : 0 };
}

/** Returns why it failed, so that one destination that is away does not keep the artifact from the next. */
async function copy(
  targetInput: BackupTargetInput,
  { artifact, source }: CapturedArtifact,
  destination: Exclude<DestinationKind, 'local'>,
  brought: BroughtTarget['brought'],
): Promise<string | undefined> {
  const { service, run, target, settings, deadlineAt } = targetInput;
  const summary = `copy ${target.name} to ${destination}`;
  const step = { ...slotted(targetInput), summary };
  const { stallTimeoutMs, copyRetryForMs: retryForMs } = settings;
  const input = { service, run, target, source, artifact, destination, stallTimeoutMs, retryForMs, deadlineAt };
  try {
    const { broughtCount } = await onHost(target.host, () => copies(step).copyArtifact(input));
    brought[destination] = broughtCount;
    return undefined;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return failureText(error, summary);
  }
}

/** Whether there is something in the destination that is verified after each run. */
function isVerifiedNow({ target: { verify } }: BackupTargetInput, brought: BroughtTarget['brought']): boolean {
  return verify !== undefined && verify.cron === undefined && brought[verify.from] !== undefined;
}

/** Before the prune, which counts no artifact that failed. What could not be done says nothing of the artifact: it is unverified. */
async function verify(targetInput: BackupTargetInput): Promise<VerifyTargetResult> {
  const { service, run, target, settings } = targetInput;
  const { name, kind, timeoutMs } = target;
  const { method = 'read', from = 'local' } = target.verify ?? {};
  const { stallTimeoutMs } = settings;
  try {
    const input = { ...{ service, run, target: name, kind }, method, from, stallTimeoutMs, timeoutMs };
    return await verifyOnHost(slotted(targetInput), input);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const reason = failureText(error, `verify ${name}`);
    return { ...{ target: name, kind, method }, outcome: 'unverified', reason, notes: [], durationMs: 0 };
  }
}

interface Done {
  verified: VerifyTargetResult | undefined;
  captured: CapturedArtifact | undefined;
  brought: BroughtTarget['brought'];
  errors: string[];
  isUnpolled: boolean;
}

function settle({ target }: BackupTargetInput, done: Done): BackupTargetResult {
  const { captured, brought, errors, isUnpolled, verified } = done;
  const warnings = [
    ...(captured?.warnings ?? []),
    ...(verified?.outcome === 'unverified' ? [verdictText(verified)] : []),
  ];
  const result: TargetResult = {
    target: target.name,
    kind: target.kind,
    host: target.host,
    outcome: errors.length === 0 ? 'succeeded' : 'failed',
    durationMs: Date.now() - workflowInfo().startTime.getTime(),
    ...(errors.length > 0 && { error: errors.join('\n') }),
    ...(captured && { artifact: captured.artifact, sizeBytes: captured.sizeBytes, sha256: captured.sha256 }),
    ...(warnings.length > 0 && { warnings }),
    ...(verified && { verification: recorded(verified) }),
  };
  const { name, kind, host, retentionCount, retention } = target;
  const kept = { retentionCount, ...(retention !== undefined && { retention }) };
  const settled: BackupTargetResult = {
    result,
    ...(captured && { brought: { target: name, kind, source: captured.source, host, ...kept, brought } }),
    ...(captured?.directoryId !== undefined && { directoryId: captured.directoryId }),
    ...(isUnpolled && { isUnpolled }),
  };
  if (errors.length > 0) throw ApplicationFailure.nonRetryable(errors.join('\n'), 'TargetFailed', settled);
  return settled;
}

function recorded({
  method,
  outcome,
  reason,
  restoreMs,
}: VerifyTargetResult): NonNullable<TargetResult['verification']> {
  return { method, outcome, ...(reason !== undefined && { reason }), ...(restoreMs !== undefined && { restoreMs }) };
}
