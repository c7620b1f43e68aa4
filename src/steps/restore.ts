import { placeWord, type Restored, type RestoredTarget, type RestorePlan } from '../domain/restore-plan.js';
import type { Runtime } from '../runtime.js';
import { failing } from './failure.js';
import type { FoundArtifact } from './list-artifacts.js';
import { prepareRestore, type PreparedRestore, type RestoreInput } from './prepare-restore.js';
import { withArtifactFile } from './retrieve.js';
import type { StepContext } from './step.js';

export type { RestoreInput } from './prepare-restore.js';

/** What `restoreTarget` would do; the same errors. */
export async function planRestore(runtime: Runtime, input: RestoreInput, step: StepContext): Promise<RestorePlan> {
  return (await prepareRestore(runtime, input, step)).plan;
}

/**
 * Makes a new database, volume or directory out of an artifact whose every byte was checked, or replaces the one that is there; after any
 * failure, or when `step.signal` aborts, everything is as it was. Errors: those of `prepareRestore`, and those of the server or engine.
 */
export async function restoreTarget(runtime: Runtime, input: RestoreInput, step: StepContext): Promise<RestoredTarget> {
  const prepared = await prepareRestore(runtime, input, step);
  const { found, restorer, plan } = prepared;
  input.onPlanned?.(plan);
  const restored = await failing(() =>
    withArtifactFile({ found, local: runtime.local }, step, (path) => {
      const how = input.inPlace === true ? 'in place of the' : 'into the new';
      step.log(`restoring ${plan.target} ${how} ${placeWord(plan)} ${plan.into}`);
      return restorer.restore(path, step);
    }),
  );
  return resultOf(prepared, found, restored);
}

function resultOf({ plan }: PreparedRestore, { entry }: FoundArtifact, restored: Restored): RestoredTarget {
  const { target, kind, run, destination, location, into, sizeBytes } = plan;
  const { sha256 } = entry.manifest.artifact;
  return { ...{ target, kind, run, destination, location, into, sizeBytes, sha256 }, ...restored };
}
