import { placeWord, type Restored, type RestoredTarget, type RestorePlan } from '../domain/restore-plan.js';
import type { Runtime } from '../runtime.js';
import { failing } from './failure.js';
import { chooseRestore, completePlan, type ChosenRestore, type RestoreInput } from './prepare-restore.js';
import { NO_JOURNAL, openRestoreJournal } from './restore-journal.js';
import { sweepDownloads, withArtifactFile } from './retrieve.js';
import type { StepContext } from './step.js';

export type { RestoreInput } from './prepare-restore.js';

/** What `restoreTarget` would do; the same errors. Nothing is touched. */
export async function planRestore(runtime: Runtime, input: RestoreInput, step: StepContext): Promise<RestorePlan> {
  return completePlan(await chooseRestore(runtime, input, NO_JOURNAL, step), step);
}

/**
 * Makes a new database, volume or directory out of an artifact whose every byte was checked, or replaces the one that is there; after any
 * failure, or when `step.signal` aborts, everything is as it was. Errors: those of `planRestore`, and those of the server or engine.
 */
export async function restoreTarget(runtime: Runtime, input: RestoreInput, step: StepContext): Promise<RestoredTarget> {
  const chosen = await chooseRestore(runtime, input, NO_JOURNAL, step);
  return restoreChosen(runtime, input, chosen, step);
}

/**
 * The same as one of several attempts at one restore: what is done is not done again, and what an attempt left that was killed is removed
 * first.
 */
export async function attemptRestore(
  runtime: Runtime,
  input: RestoreInput & { restoreToken: string },
  step: StepContext,
): Promise<RestoredTarget> {
  const { local } = runtime;
  const journal = await openRestoreJournal(local.root, input.restoreToken);
  const chosen = await chooseRestore(runtime, input, journal, step);
  const { restorer } = chosen;
  const before = await restorer.findDone(step);
  if (before !== undefined) return resultOf(chosen, before);
  await restorer.sweep(step);
  await sweepDownloads(local.root, input.restoreToken);
  await journal.clear();
  try {
    return await restoreChosen(runtime, input, chosen, step);
  } catch (error) {
    // The last step may have been done although nobody could say so.
    const after = await restorer.findDone(step).catch(() => undefined);
    if (after !== undefined) return resultOf(chosen, after);
    await journal.clear();
    throw error;
  }
}

async function restoreChosen(
  { local }: Runtime,
  input: RestoreInput,
  chosen: ChosenRestore,
  step: StepContext,
): Promise<RestoredTarget> {
  const { found, restorer } = chosen;
  const plan = await completePlan(chosen, step);
  input.onPlanned?.(plan);
  const { restoreToken } = input;
  const restored = await failing(() =>
    withArtifactFile({ found, local, ...(restoreToken !== undefined && { restoreToken }) }, step, (path) => {
      const how = input.inPlace === true ? 'in place of the' : 'into the new';
      step.log(`restoring ${plan.target} ${how} ${placeWord(plan)} ${plan.into}`);
      return restorer.restore(path, step);
    }),
  );
  return resultOf(chosen, restored);
}

function resultOf({ found, outline }: ChosenRestore, restored: Restored): RestoredTarget {
  const { target, kind, run, destination, location, into, sizeBytes } = outline;
  const { sha256 } = found.entry.manifest.artifact;
  return { ...{ target, kind, run, destination, location, into, sizeBytes, sha256 }, ...restored };
}
