import { runId } from '../domain/names.js';
import type { Restored, RestoreFacts } from '../domain/restore-plan.js';
import type { Runtime } from '../runtime.js';
import { clearLeavings } from '../sources/volume/leavings.js';
import { findReplaced, replaceVolume, type ReplacedVolume } from '../sources/volume/replace.js';
import { requireReplaceable, type ReplaceableVolume } from '../sources/volume/replaceable.js';
import { isVolumeOf, sweepRestore } from '../sources/volume/restore-leavings.js';
import { requireFreeName, restoreVolume } from '../sources/volume/restore.js';
import { volumeCommands } from './kept-volume.js';
import { noted } from './restore-journal.js';
import type { Restorer, RestorerInput } from './restorer.js';
import { requireRelativePaths, withParts } from './select-paths.js';

/** Makes a volume of the Docker engine, or replaces the content of one. */
export function volumeRestorer(runtime: Runtime, input: RestorerInput): Restorer {
  const { manifest, into, attemptToken, restoreToken, journal } = input;
  const { target, service, artifact } = manifest;
  const { config, tools } = runtime;
  const { helperImage, timezone } = config.backup;
  const image = helperImage === undefined ? {} : { helperImage };
  const common = { target, service, attemptToken, compression: artifact.compression, tools, ...image };
  if (input.inPlace) {
    const keptAs = `${into}_before_${runId(input.startedAt, timezone)}`;
    const replacement = { ...common, volume: into, restoreToken, keptAs };
    return {
      plan: async ({ signal }) => factsOf(into, keptAs, await requireReplaceable(replacement, signal)),
      restore: async (artifactPath, { signal, onProgress, log }) =>
        withCommands(into, await replaceVolume({ ...replacement, artifactPath, signal, onProgress, log })),
      async findDone({ signal }) {
        const done = await findReplaced(replacement, signal);
        return done && withCommands(into, done);
      },
      sweep: async ({ signal }) => void (await clearLeavings(replacement, restoreToken, signal)),
    };
  }
  return {
    plan: async () => {
      requireRelativePaths(input);
      await requireFreeName({ target, into });
      return { warnings: [] };
    },
    restore(artifactPath, step) {
      const { signal, onProgress } = step;
      const onWhole = (id: string, warnings: string[]) => journal.note({ whole: { id, restored: { warnings } } });
      return withParts(runtime, input, { artifactPath, step }, (path) =>
        restoreVolume({ ...common, into, artifactPath: path, signal, onProgress, onWhole }),
      );
    },
    findDone: () => noted(journal, (id) => isVolumeOf(into, id)),
    async sweep({ log }) {
      const removed = await sweepRestore({ into, restoreToken });
      if (removed.length > 0) log(`removed ${removed.join(', ')}, which an attempt before had not finished`);
    },
  };
}

function withCommands(into: string, replaced: ReplacedVolume): Restored {
  return { ...replaced, keptCommands: volumeCommands({ into, keptAs: replaced.keptAs }) };
}

function factsOf(volume: string, keptAs: string, found: ReplaceableVolume): RestoreFacts {
  const { stopped, takenBytes, stages } = found;
  const warnings = stopped.map((name) => `the container ${name} uses the volume, and has to stay stopped meanwhile`);
  if (stages.length > 0) warnings.push('an earlier restore in place did not end: what it left is put back first');
  const size = takenBytes === undefined ? {} : { sizeBytes: takenBytes };
  return { replaces: { what: `the volume ${volume}`, ...size, keptAs }, warnings };
}
