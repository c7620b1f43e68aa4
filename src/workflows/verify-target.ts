import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import type { VerificationOutcome } from '../domain/verification.js';
import {
  verdictText,
  type PlannedVerification,
  type VerifyPlan,
  type VerifyTargetInput,
  type VerifyTargetResult,
} from '../domain/verify-run.js';
import { onHost, verifications, type HostStep } from './activities.js';
import { setFoundBy } from './found-by.js';
import { verifyDetails } from './verify-details.js';

export interface VerifyTargetWorkflowInput extends Pick<VerifyPlan, 'service' | 'settings' | 'searchAttributes'> {
  target: PlannedVerification;
}

/** The failure types of `VerifyTarget`, by what it came to; the details are the result. */
export const VERDICTS: Record<Exclude<VerificationOutcome, 'verified'>, string> = {
  failed: 'VerificationFailed',
  unverified: 'Unverified',
};

/** For a slot, which those of runs may have. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** Verifies the newest artifact of one target. Fails where it is not verified, so that the Web UI shows it red. */
export async function VerifyTarget(input: VerifyTargetWorkflowInput): Promise<VerifyTargetResult> {
  const { service, settings, searchAttributes } = input;
  const { target, kind, host, method, from, timeoutMs } = input.target;
  if (searchAttributes) await setFoundBy({ targets: [target] });
  const step = { host, settings, timeoutMs, waitMs: LONGEST_WAIT_MS };
  const result = await verifyOnHost(step, { service, target, kind, method, from, timeoutMs, ...stallOf(settings) });
  setCurrentDetails(verifyDetails([result]));
  const isVerified = result.outcome === 'verified';
  if (searchAttributes)
    await setFoundBy({ outcome: isVerified ? 'succeeded' : 'failed', failedTargets: isVerified ? [] : [target] });
  if (result.outcome === 'verified') return result;
  throw ApplicationFailure.nonRetryable(verdictText(result), VERDICTS[result.outcome], result);
}

/** One verification by a worker of the target's host. */
export function verifyOnHost(step: Omit<HostStep, 'summary'>, input: VerifyTargetInput): Promise<VerifyTargetResult> {
  const { target, method, from } = input;
  const summary = method === 'drill' ? `drill ${target} from ${from}` : `read ${target} from ${from}`;
  return onHost(step.host, () => verifications({ ...step, summary }).verifyTarget(input));
}

function stallOf({ stallTimeoutMs }: VerifyPlan['settings']) {
  return { stallTimeoutMs };
}
