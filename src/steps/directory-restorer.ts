import { runId } from '../domain/names.js';
import type { Runtime } from '../runtime.js';
import { restoreDirectory } from '../sources/directory/restore.js';
import { directoryId, sweepDirectories } from '../sources/directory/leavings.js';
import { putBack, replaceDirectory, requireReplaceableDirectory } from '../sources/directory/replace.js';
import { requireFreeDirectory } from '../sources/directory/free-directory.js';
import type { FoundEmpty } from '../sources/directory/restore-place.js';
import { directoryCommands } from './kept-volume.js';
import { noted } from './restore-journal.js';
import type { Restorer, RestorerInput } from './restorer.js';
import { requireRelativePaths, withParts } from './select-paths.js';

/** Makes a directory out of the artifact of a volume, without Docker. */
export function directoryRestorer(runtime: Runtime, input: RestorerInput): Restorer {
  const { tools } = runtime;
  const { manifest, into, attemptToken, restoreToken, journal, inPlace } = input;
  const { target, artifact } = manifest;
  const common = { target, into, attemptToken, compression: artifact.compression, tools };
  if (inPlace) return replacer(runtime, input);
  return {
    plan: async () => {
      requireRelativePaths(input);
      await requireFreeDirectory(common);
      return { warnings: [] };
    },
    restore(artifactPath, step) {
      const { signal, onProgress } = step;
      const onFilling = (fills: FoundEmpty) => journal.note({ fills });
      const onWhole = (id: string, warnings: string[]) => journal.note({ whole: { id, restored: { warnings } } });
      return withParts(runtime, input, { artifactPath, step }, (path) =>
        restoreDirectory({ ...common, artifactPath: path, signal, onProgress, onFilling, onWhole }),
      );
    },
    findDone: () => noted(journal, async (id) => (await directoryId(into)) === id),
    async sweep({ log }) {
      const removed = await sweepDirectories({ into, restoreToken, filled: journal.known.fills });
      if (removed.length > 0) log(`removed what an attempt before had left in ${removed.join(', ')}`);
    },
  };
}

function replacer({ config, tools }: Runtime, input: RestorerInput): Restorer {
  const { manifest, into, attemptToken, restoreToken, journal, startedAt } = input;
  const { target, artifact } = manifest;
  const replacement = { target, into, ending: `_before_${runId(startedAt, config.backup.timezone)}` };
  const common = { ...replacement, attemptToken, compression: artifact.compression, tools };
  return {
    async plan() {
      const { keptAs, warnings } = await requireReplaceableDirectory(replacement);
      return { replaces: { what: `the directory ${into}`, keptAs }, warnings };
    },
    async restore(artifactPath, { signal, onProgress }) {
      const { keptAs } = await requireReplaceableDirectory(replacement);
      const kept = { keptAs, keptCommands: directoryCommands({ into, keptAs }) };
      const onWhole = (id: string, warnings: string[]) =>
        journal.note({ whole: { id, restored: { warnings, ...kept } } });
      return { ...(await replaceDirectory({ ...common, artifactPath, signal, onProgress, onWhole })), ...kept };
    },
    findDone: () => noted(journal, async (id) => (await directoryId(into)) === id),
    async sweep({ log }) {
      if (await putBack(replacement, restoreToken))
        log(`gave ${into} its name again, which an attempt before had taken`);
      const removed = await sweepDirectories({ into, restoreToken, filled: undefined });
      if (removed.length > 0) log(`removed what an attempt before had left in ${removed.join(', ')}`);
    },
  };
}
