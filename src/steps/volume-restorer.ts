import type { Runtime } from '../runtime.js';
import { requireFreeName, restoreVolume } from '../sources/volume-restore.js';
import { requireSupported } from './restore-choice.js';
import type { Restorer, RestorerInput } from './restorer.js';

/** Makes a volume of the Docker engine. */
export function volumeRestorer({ config, tools }: Runtime, input: RestorerInput): Restorer {
  const { manifest, into, attemptToken } = input;
  const { target, service, artifact } = manifest;
  const { helperImage } = config.backup;
  const image = helperImage === undefined ? {} : { helperImage };
  const common = { target, service, into, attemptToken, compression: artifact.compression, tools, ...image };
  return {
    plan: async () => {
      requireSupported(input);
      await requireFreeName({ target, into });
      return { warnings: [] };
    },
    restore: (artifactPath, { signal, onProgress }) => restoreVolume({ ...common, artifactPath, signal, onProgress }),
  };
}
