import type { BroughtTarget } from '../domain/steps.js';
import type { RunPlan } from '../domain/run.js';
import { DEFAULT_HOST, type DestinationKind } from '../domain/target.js';
import { onHost, closingSteps } from './activities.js';
import { failureText } from './failures.js';

/** Prunes each destination that this run brought something to. Returns warnings: a prune that fails takes nothing from the targets. */
export async function pruneDestinations(plan: RunPlan, brought: BroughtTarget[]): Promise<string[]> {
  const warnings: string[] = [];
  for (const destination of plan.destinations) {
    const prunings = [...byPrunerHost(destination, brought)].map(([host, targets]) =>
      pruneOne(plan, destination, host, targets),
    );
    warnings.push(...(await Promise.all(prunings)).flat());
  }
  return warnings;
}

/** `local` is a destination of each host; another one is the same seen from anywhere. */
function byPrunerHost(destination: DestinationKind, brought: BroughtTarget[]): Map<string, BroughtTarget[]> {
  const groups = new Map<string, BroughtTarget[]>();
  for (const target of brought) {
    if ((target.brought[destination] ?? 0) === 0) continue;
    const host = destination === 'local' ? target.host : DEFAULT_HOST;
    groups.set(host, [...(groups.get(host) ?? []), target]);
  }
  return groups;
}

async function pruneOne(
  plan: RunPlan,
  destination: DestinationKind,
  host: string,
  targets: BroughtTarget[],
): Promise<string[]> {
  const { service, run, settings } = plan;
  const step = { host, settings, timeoutMs: 60 * 60_000, summary: `prune ${destination}` };
  try {
    const input = { service, run, destination, targets };
    return (await onHost(host, () => closingSteps(step).pruneDestination(input))).warnings;
  } catch (error) {
    return [failureText(error, `prune ${destination}`)];
  }
}
