import { createCatalog } from '../catalog.js';
import type { Destination } from '../destinations/destination.js';
import { forgetEmptyRuns } from '../empty-runs.js';
import {
  planPrune,
  withDrillsElsewhere,
  type CatalogEntry,
  type PruneDecision,
  type PruneLine,
  type PrunePlan,
} from '../domain/retention.js';
import type { BroughtTarget, PruneDestinationInput, PruneResult } from '../domain/steps.js';
import type { Runtime } from '../runtime.js';
import type { StepContext } from './step.js';

/** Of runs that left no artifact, how many records stay to be read. */
const KEPT_RECORDS = 30;

/** Thins the lines that this run brought to one destination, by that destination's own catalog. */
export async function pruneDestination(
  runtime: Runtime,
  input: PruneDestinationInput,
  step: StepContext,
): Promise<PruneResult> {
  const destination = runtime.destination(input.destination);
  const lines = input.targets.map((target) => lineOf(target, input));
  const entries = await knownEntries(runtime, destination);
  const plan = planPrune({ service: input.service, run: input.run, now: new Date(), entries, lines });
  const removed = await applyPrune({
    destination,
    plan,
    service: input.service,
    currentRun: input.run,
    host: runtime.config.host,
    log: step.log,
  });
  return { removedCount: removed.length, warnings: plan.warnings };
}

/** With what drills found in this host's directory. To prune that, no other destination needs to be there. */
async function knownEntries({ local }: Runtime, destination: Destination): Promise<CatalogEntry[]> {
  const { entries } = await createCatalog(destination).list();
  if (destination === local) return entries;
  return withDrillsElsewhere(entries, (await createCatalog(local).list()).entries);
}

function lineOf({ brought, ...line }: BroughtTarget, { destination }: PruneDestinationInput): PruneLine {
  return { ...line, broughtCount: brought[destination] ?? 0 };
}

export interface ApplyPruneInput {
  destination: Destination;
  plan: PrunePlan;
  service: string;
  /** That this process works for. */
  host: string;
  /** Its record stays, whatever it brought. */
  currentRun?: string;
  log: (line: string) => void;
}

/**
 * Removes what a plan says, oldest first, and what that leaves without meaning: checksums, empty runs. Returns what went: that is not
 * what was pinned meanwhile.
 */
export async function applyPrune({
  destination,
  plan,
  service,
  currentRun,
  host,
  log,
}: ApplyPruneInput): Promise<PruneDecision[]> {
  const catalog = createCatalog(destination);
  const removed: PruneDecision[] = [];
  for (const decision of [...plan.remove].reverse()) {
    const { entry, reason } = decision;
    log(`${entry.manifest.target}: removing ${destination.location}/${entry.path}: ${reason}`);
    if ((await catalog.remove(entry)) === 'removed') removed.push(decision);
    else log(`${entry.manifest.target}: ${destination.location}/${entry.path} was pinned meanwhile, and stays`);
  }
  await forgetEmptyRuns({
    destination,
    service,
    keepRecords: KEPT_RECORDS,
    ...(destination.kind === 'local' && { host }),
    ...(currentRun !== undefined && { currentRun }),
  });
  return removed;
}
