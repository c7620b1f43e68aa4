import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import { BrokenArchive } from '../archive/broken-archive.js';
import type { Manifest } from '../domain/manifest.js';
import type { DrillResult } from '../domain/verification.js';
import { throwIfAborted } from '../pipeline/abort.js';
import type { Tools } from '../pipeline/tools.js';
import { removeVolumeLabelled } from '../sources/docker/volume.js';
import { restoreDirectory } from '../sources/directory/restore.js';
import { LABEL } from '../sources/docker/helper-labels.js';
import { ExtractionFailed } from '../sources/tar/messages.js';
import { restoreVolume } from '../sources/volume/restore.js';
import { makeDrillDirectory } from './drill-directory.js';
import { together } from './together.js';
import { asVerdict, DrillFailed, Unverifiable } from './verdict.js';
import { listArchive } from './volume-archive-list.js';
import { compareLists } from './volume-comparison.js';
import { sweepDrillVolumes } from './volume-leftovers.js';
import { verdictOf } from './volume-verdict.js';
import { requireWalkPrograms, walkDirectory, walkVolume, type WalkInput } from './volume-walk.js';
import { listWalk } from './volume-walk-list.js';

export interface DrillVolumeInput {
  /** A local file, whose bytes were proved against its manifest. */
  path: string;
  manifest: Manifest;
  tools: Tools;
  /** Default: this container's own image, or one made of this host's programs. */
  helperImage?: string;
  /** Where there is room: for lists of all paths, and of a volume that had a path for all that it holds. */
  scratchDir: string;
  signal: AbortSignal;
  /** Told bytes of the current phase: stored ones, then content that is read. */
  onProgress: (bytesDone: number) => void;
  log: (line: string) => void;
}

/**
 * Restores the artifact of a volume into one that is thrown away (a directory, where the volume had a path) and compares what
 * programs find there with what the archive says to a reader of its own. Throws Cancelled, and a BackupError for trouble of
 * the drill's own, which says nothing about the artifact.
 */
export async function drillVolume(input: DrillVolumeInput): Promise<DrillResult> {
  try {
    return await drill(input);
  } catch (error) {
    throwIfAborted(input.signal);
    return asVerdict(error instanceof BrokenArchive ? new DrillFailed(error.message) : error);
  }
}

async function drill(input: DrillVolumeInput): Promise<DrillResult> {
  const { manifest, helperImage, scratchDir, log } = input;
  const isNamed = 'volume' in manifest.source;
  if (!isNamed || helperImage === undefined) requireWalkPrograms();
  const directory = await makeDrillDirectory(scratchDir, undefined);
  try {
    const place = isNamed ? await volumePlace(input, directory.path) : directoryPlace(input, directory.path);
    try {
      log(`restoring it into ${place.name}`);
      const startedMs = Date.now();
      const { warnings } = await place.restore().catch(asUnverifiable);
      const restoreMs = Date.now() - startedMs;
      log('comparing what was restored with the archive');
      return { ...(await compare(input, directory.path, place, warnings)), restoreMs };
    } finally {
      await place.remove();
    }
  } finally {
    await directory.remove();
  }
}

/** The archive was read to its end before: what tar cannot make of it may be this machine's doing, and is told in either case. */
function asUnverifiable(error: unknown): never {
  throw error instanceof ExtractionFailed ? new Unverifiable(error.text) : error;
}

/** What an artifact is restored into, and thrown away. */
interface Place {
  name: string;
  restore(): Promise<{ warnings: string[] }>;
  walk(input: WalkInput): Promise<void>;
  remove(): Promise<void>;
}

async function volumePlace(input: DrillVolumeInput, directory: string): Promise<Place> {
  const { path, manifest, helperImage, tools, signal, onProgress } = input;
  const { target, service, artifact } = manifest;
  await sweepDrillVolumes({ service, scratchDir: input.scratchDir });
  const name = `backup-orchestrator-drill-${target}-${randomBytes(6).toString('hex')}`;
  const drillId = basename(directory);
  const image = helperImage === undefined ? {} : { helperImage };
  const labels = { [LABEL.drill]: drillId };
  return {
    name: `the volume ${name}`,
    restore: () =>
      restoreVolume({
        ...{ target, service, into: name, artifactPath: path, compression: artifact.compression, tools, ...image },
        ...{ labels, signal, onProgress },
      }),
    walk: (walk) =>
      walkVolume({
        ...walk,
        ...image,
        target,
        volume: name,
        labels: { ...labels, [LABEL.service]: service, [LABEL.target]: target },
      }),
    remove: () => removeVolumeLabelled(name, LABEL.drill, drillId),
  };
}

function directoryPlace(input: DrillVolumeInput, directory: string): Place {
  const { path, manifest, tools, signal, onProgress } = input;
  const { target, artifact } = manifest;
  const into = join(directory, 'restored');
  return {
    name: 'a directory',
    restore: () =>
      restoreDirectory({
        ...{ target, into, artifactPath: path, compression: artifact.compression, tools },
        ...{ signal, onProgress },
      }),
    walk: (walk) => walkDirectory(walk, into),
    remove: () => Promise.resolve(), // goes with the directory that it lies in
  };
}

async function compare(
  { path, manifest, tools, signal, onProgress }: DrillVolumeInput,
  directory: string,
  place: Place,
  warnings: readonly string[],
): Promise<Omit<DrillResult, 'restoreMs'>> {
  const { compression } = manifest.artifact;
  const what = `compare ${manifest.target}`;
  let [archived, walked] = [0, 0];
  const tell = () => onProgress(archived + walked);
  const [archive, found] = await together(signal, (both) => [
    listArchive({
      ...{ artifactPath: path, compression, tools, directory, signal: both },
      onProgress: (bytes) => {
        archived = bytes;
        tell();
      },
    }),
    (async () => {
      const walk = join(directory, 'walk');
      await place.walk({
        ...{ what, walk, signal: both },
        onProgress: (bytes) => {
          walked = bytes;
          tell();
        },
      });
      return listWalk({ walk, directory, signal: both });
    })(),
  ]);
  const ownsNothing = place.name === 'a directory' && process.geteuid?.() !== 0;
  const ignored = ownsNothing ? ['owner'] : [];
  const comparison = await compareLists({
    ...{ expected: archive.paths, found: found.paths, ignored, signal },
    onProgress: (paths) => onProgress(archived + walked + paths),
  });
  return verdictOf({ archive, comparison, warnings, ownsNothing });
}
