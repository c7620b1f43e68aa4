import type { Runtime } from '../runtime.js';
import { restoreDirectory } from '../sources/directory-restore.js';
import { directoryId, sweepDirectories } from '../sources/directory-leavings.js';
import { requireFreeDirectory } from '../sources/free-directory.js';
import type { FoundEmpty } from '../sources/restore-place.js';
import { noted } from './restore-journal.js';
import { requireSupported } from './restore-choice.js';
import type { Restorer, RestorerInput } from './restorer.js';
import { requireRelativePaths, withParts } from './select-paths.js';

/** Makes a directory out of the artifact of a volume, without Docker. */
export function directoryRestorer(runtime: Runtime, input: RestorerInput): Restorer {
  const { tools } = runtime;
  const { manifest, into, attemptToken, restoreToken, journal, inPlace } = input;
  const { target, artifact } = manifest;
  const common = { target, into, attemptToken, compression: artifact.compression, tools };
  return {
    plan: async () => {
      requireRelativePaths(input);
      if (inPlace) requireSupported(input);
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
