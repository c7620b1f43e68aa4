import type { Runtime } from '../runtime.js';
import { restoreDirectory } from '../sources/directory-restore.js';
import { requireFreeDirectory } from '../sources/free-directory.js';
import { requireSupported } from './restore-choice.js';
import type { Restorer, RestorerInput } from './restorer.js';

/** Makes a directory out of the artifact of a volume, without Docker. */
export function directoryRestorer({ tools }: Runtime, input: RestorerInput): Restorer {
  const { manifest, into, attemptToken } = input;
  const { target, artifact } = manifest;
  const common = { target, into, attemptToken, compression: artifact.compression, tools };
  return {
    plan: async () => {
      requireSupported(input);
      await requireFreeDirectory(common);
      return { warnings: [] };
    },
    restore: (artifactPath, { signal, onProgress }) =>
      restoreDirectory({ ...common, artifactPath, signal, onProgress }),
  };
}
