import type { RunPlan } from '../domain/run.js';
import type { BroughtTarget, ReportRunInput } from '../domain/steps.js';
import { DEFAULT_HOST } from '../domain/target.js';
import { closingSteps, onHost } from './activities.js';
import { failureText } from './failures.js';

/** Leaves the record of a run in the directory of each further host that it brought something to. Returns warnings. */
export async function recordOnHosts(plan: RunPlan, brought: BroughtTarget[], input: ReportRunInput): Promise<string[]> {
  const hosts = new Set(brought.map(({ host }) => host).filter((host) => host !== DEFAULT_HOST));
  return (await Promise.all([...hosts].map((host) => recordOnHost(plan, host, input)))).flat();
}

async function recordOnHost({ run, settings }: RunPlan, host: string, input: ReportRunInput): Promise<string[]> {
  const summary = `record ${run} on ${host}`;
  const step = { host, settings, timeoutMs: 10 * 60_000, summary };
  try {
    await onHost(host, () => closingSteps(step).recordRun(input));
    return [];
  } catch (error) {
    return [failureText(error, summary)];
  }
}
