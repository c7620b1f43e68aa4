import { readdir } from 'node:fs/promises';
import type { DrillVolumeInput } from '../../src/drill/drill-volume.js';
import { captureVolume } from '../../src/sources/volume/capture.js';
import { aManifest } from './manifest.js';
import { attemptAt, containersOf, dockerLines, filledVolume, testDirectory } from './volume-attempt.js';

/** What drills an artifact. */
export async function drillFor(artifactPath: string, service: string): Promise<DrillVolumeInput & { told: number[] }> {
  const { tools, signal } = await attemptAt('any');
  const told: number[] = [];
  return {
    ...{ path: artifactPath, tools, signal, scratchDir: await testDirectory() },
    manifest: aManifest({
      ...{ kind: 'volume', target: 'files', service },
      source: { kind: 'volume', host: 'default', volume: 'origin' },
    }),
    onProgress: (bytesDone) => told.push(bytesDone),
    log: () => undefined,
    told,
  };
}

/** What drills the artifact of a captured volume with this content. */
export async function drillOf(script: string): Promise<DrillVolumeInput & { told: number[] }> {
  const attempt = await attemptAt(await filledVolume('origin', script));
  await captureVolume(attempt);
  return drillFor(attempt.partPath, attempt.service);
}

/** Containers, volumes and directories of drills of this service. */
export async function leftBy({ scratchDir, manifest: { service } }: DrillVolumeInput): Promise<string[]> {
  const volumes = await dockerLines('volume', 'ls', '-q', '--filter', `label=backup-orchestrator.service=${service}`);
  return [...(await containersOf(service)), ...volumes, ...(await readdir(scratchDir))];
}
