import { createCatalog, type Catalog } from '../catalog.js';
import { BackupError } from '../domain/errors.js';
import type { Destination } from '../destinations/destination.js';
import { holdByRules, rulesOf } from '../domain/retention-rules.js';
import { isGood, lineKey, type CatalogEntry } from '../domain/retention.js';
import type { CopyArtifactInput, CopyResult } from '../domain/steps.js';
import { readPin, writePin } from '../pins.js';
import type { Runtime } from '../runtime.js';
import type { ResumableStep } from './step.js';
import { sweepAttempts } from './sweep.js';

/**
 * Brings the artifact of this run to a destination, then each older one that is still kept here and missing there, newest first: nights
 * without that destination leave no hole. The manifest goes last. What is there already is left alone, so a retry goes on; what a
 * cancelled run sent of a file is dropped.
 */
export async function copyArtifact(
  runtime: Runtime,
  input: CopyArtifactInput,
  step: ResumableStep,
): Promise<CopyResult> {
  const destination = runtime.destination(input.destination);
  const kept = await keptHere(createCatalog(runtime.local), input);
  try {
    const result = await copyAll(runtime, { ...input, destination, kept }, step);
    // Last, when nothing is left to go on with.
    await sweepAttempts({ destination, target: input.target, log: step.log });
    return result;
  } catch (error) {
    if (step.isCancelled()) await abandon({ destination, kept, log: step.log });
    throw error;
  }
}

interface Copies extends Pick<CopyArtifactInput, 'target' | 'run'> {
  destination: Destination;
  kept: readonly CatalogEntry[];
}

async function copyAll(
  { local }: Runtime,
  { destination, kept, target, run: ownRun }: Copies,
  step: ResumableStep,
): Promise<CopyResult> {
  const there = createCatalog(destination);
  let broughtCount = 0;
  let bytesBefore = 0; // those that are there included, so that what attempts tell can be compared
  for (const entry of kept) {
    const { run, artifact } = entry.manifest;
    if (run === ownRun || !(await isThere(there, entry, step.log))) {
      step.log(`${target.name}: copying ${artifact.name} to ${destination.location}`);
      const onProgress = (bytes: number) => step.onProgress(bytesBefore + bytes);
      const onUnderWay = (bytes: number) => step.onUnderWay?.(bytesBefore + bytes);
      const options = { ...step, onProgress, onUnderWay };
      await destination.putFile(entry.path, local.pathOf(entry.path), artifact, options);
      await bringPin(destination, entry);
      await there.commit(entry.manifest);
      broughtCount += 1;
    } else {
      await bringPin(destination, entry);
    }
    bytesBefore += artifact.sizeBytes;
  }
  return { broughtCount };
}

/** A pin is set everywhere at once, but for places that were away then. Before the manifest: no prune sees one without the other. */
async function bringPin(destination: Destination, { path, pin }: CatalogEntry): Promise<void> {
  if (pin !== undefined && (await readPin(destination, path)) === undefined) await writePin(destination, path, pin);
}

/** A damaged manifest there is left for a person to look at: it must not keep the others from coming. */
async function isThere(there: Catalog, { manifest: { run, artifact } }: CatalogEntry, log: ResumableStep['log']) {
  try {
    return (await there.get(run, artifact.name)) !== undefined;
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'Damaged') throw error;
    log(`${artifact.name} is not copied again: ${error.message}`);
    return true;
  }
}

/** This run's artifact, then those that retention will leave, newest first: the others would be removed there at once. */
async function keptHere(local: Catalog, { target, source, service, run }: CopyArtifactInput): Promise<CatalogEntry[]> {
  const line = lineKey({ target: target.name, kind: target.kind, source });
  const { entries } = await local.list({ target: target.name, kind: target.kind });
  const good = entries.filter((e) => isGood(e) && e.manifest.service === service && lineKey(e.manifest) === line);
  const held = holdByRules({ good, rules: rulesOf(target), now: new Date() });
  const isOwn = (entry: CatalogEntry) => entry.manifest.run === run;
  return [...good.filter(isOwn), ...good.filter((entry) => !isOwn(entry) && held.has(entry))];
}

/** An earlier attempt may have been at another one of them. A destination that is away keeps what it has, until it is swept. */
async function abandon({ destination, kept, log }: Pick<Copies, 'destination' | 'kept'> & Pick<ResumableStep, 'log'>) {
  try {
    for (const { path } of kept) await destination.abandonPut(path);
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
  }
}
