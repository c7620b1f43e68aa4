import type { Runtime } from '../runtime.js';
import { requireFreeName, restoreVolume } from '../sources/volume-restore.js';
import type { Restorer, RestorerInput } from './restorer.js';

/** Makes a volume of the Docker engine. */
export function volumeRestorer({ config, tools }: Runtime, { manifest, into, attemptToken }: RestorerInput): Restorer {
  const { target, service, artifact } = manifest;
  const { helperImage } = config.backup;
  const image = helperImage === undefined ? {} : { helperImage };
  const common = { target, service, into, attemptToken, compression: artifact.compression, tools, ...image };
  return {
    plan: async () => {
      await requireFreeName({ target, into });
      return { warnings: [] };
    },
    restore: (artifactPath, { signal, onProgress }) => restoreVolume({ ...common, artifactPath, signal, onProgress }),
  };
}
