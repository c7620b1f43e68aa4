import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { BackupError } from '../domain/errors.js';
import { drillDatabase } from '../drill/drill-database.js';
import { drillGlobals } from '../drill/drill-globals.js';
import { drillVolume } from '../drill/drill-volume.js';
import type { DrillResult } from '../domain/verification.js';
import type { Runtime } from '../runtime.js';
import { failing } from './failure.js';
import { globalsOf } from './find-globals.js';
import { listArtifacts, locationOf, type FoundArtifact } from './list-artifacts.js';
import { withArtifactFile } from './retrieve.js';
import type { StepContext } from './step.js';

export interface DrillInput {
  found: FoundArtifact;
  /** Of a file with the artifact's bytes, each of them checked. */
  path: string;
}

/** Restores an artifact into something that is thrown away afterwards, and compares what came of it. */
export async function drillArtifact(runtime: Runtime, input: DrillInput, step: StepContext): Promise<DrillResult> {
  const { path, found } = input;
  const { manifest } = found.entry;
  const { config, tools, local } = runtime;
  const scratchDir = (await isDirectory(local.root)) ? local.root : tmpdir(); // a new host may have none yet
  const common = { path, manifest, tools, scratchDir, ...step };
  switch (manifest.kind) {
    case 'volume': {
      const { helperImage } = config.backup;
      return failing(() => drillVolume({ ...common, ...(helperImage !== undefined && { helperImage }) }));
    }
    case 'database':
      return withGlobals(runtime, found, step, (globalsPath) =>
        failing(() => drillDatabase({ ...common, ...(globalsPath !== undefined && { globalsPath }) })),
      );
    case 'globals':
      return failing(() => drillGlobals(common));
  }
}

/**
 * Those of the same run and server, which hold exactly the roles that there were; undefined where they are not kept beside it. Where they
 * are damaged that is said: it is no damage of the database.
 */
async function withGlobals(
  { local }: Runtime,
  { destination, entry: { manifest } }: FoundArtifact,
  step: StepContext,
  drill: (globalsPath: string | undefined) => Promise<DrillResult>,
): Promise<DrillResult> {
  const { artifacts } = await listArtifacts({ destinations: [destination], kind: 'globals' });
  const globals = globalsOf(manifest, artifacts).find(({ entry }) => entry.manifest.run === manifest.run);
  if (globals === undefined) return drill(undefined);
  try {
    return await withArtifactFile({ found: globals, local }, step, drill);
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'Damaged') throw error;
    const result = await drill(undefined);
    return { ...result, notes: [...result.notes, `those in ${locationOf(globals)} are damaged`] };
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
