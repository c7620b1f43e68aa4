import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { drillVolume } from '../drill/drill-volume.js';
import type { DrillResult } from '../domain/verification.js';
import type { Runtime } from '../runtime.js';
import { failing } from './failure.js';
import type { FoundArtifact } from './list-artifacts.js';
import type { StepContext } from './step.js';

export interface DrillInput {
  found: FoundArtifact;
  /** Of a file with the artifact's bytes, each of them checked. */
  path: string;
}

/** Restores an artifact into something that is thrown away afterwards, and compares what came of it. */
export async function drillArtifact(
  runtime: Runtime,
  { found, path }: DrillInput,
  step: StepContext,
): Promise<DrillResult> {
  const { manifest } = found.entry;
  const { config, tools, local } = runtime;
  const { signal, onProgress, log } = step;
  const scratchDir = (await isDirectory(local.root)) ? local.root : tmpdir(); // a new host may have none yet
  if (manifest.kind === 'volume') {
    const { helperImage } = config.backup;
    const image = helperImage === undefined ? {} : { helperImage };
    return failing(() => drillVolume({ ...{ path, manifest, tools, scratchDir, signal, onProgress, log }, ...image }));
  }
  return { outcome: 'unverified', reason: `there is no drill of a ${manifest.kind} yet`, notes: [] };
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
