import { createCatalog, type Catalog } from '../catalog.js';
import { inRun } from '../domain/names.js';
import { lineKey, type CatalogEntry } from '../domain/retention.js';
import type { CopyArtifactInput, CopyResult } from '../domain/steps.js';
import type { Runtime } from '../runtime.js';
import type { StepContext } from './step.js';

/**
 * Brings the artifact of this run to a destination, then each older one that is still kept here and missing there, newest first: nights
 * without that destination leave no hole. The manifest goes last. What is there already is left alone, so a retry goes on.
 */
export async function copyArtifact(runtime: Runtime, input: CopyArtifactInput, step: StepContext): Promise<CopyResult> {
  const destination = runtime.destination(input.destination);
  const there = createCatalog(destination);
  let broughtCount = 0;
  for (const entry of await keptHere(createCatalog(runtime.local), input)) {
    const { run, artifact } = entry.manifest;
    if ((await there.get(run, artifact.name)) !== undefined && run !== input.run) continue;
    step.log(`${input.target.name}: copying ${artifact.name} to ${destination.location}`);
    const path = inRun(run, artifact.name);
    await destination.putFile(path, runtime.local.pathOf(path), artifact, step);
    await there.commit(entry.manifest);
    broughtCount += 1;
  }
  return { broughtCount };
}

/** The artifacts that retention will leave, newest first: the others would be removed there at once. */
async function keptHere(local: Catalog, { target, source, service }: CopyArtifactInput): Promise<CatalogEntry[]> {
  const line = lineKey({ target: target.name, kind: target.kind, source });
  const { entries } = await local.list({ target: target.name, kind: target.kind });
  return entries
    .filter((e) => e.whole && e.manifest.service === service && lineKey(e.manifest) === line)
    .slice(0, target.retentionCount);
}
