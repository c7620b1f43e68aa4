import { BackupError } from '../../domain/errors.js';
import { containersUsing, findVolume, type DockerVolume } from '../docker/volume.js';
import { LABEL } from '../docker/helper-labels.js';

export interface VolumeFindings {
  volumeName: string;
  driver: string;
  /** On the engine's machine. */
  mountpoint: string;
  /** Names of the running containers that use it. */
  usedBy: string[];
}

/** What the engine says of a volume. Looks only: a missing one is NotFound and stays missing. */
export async function checkVolume({ volumeName }: { volumeName: string }): Promise<VolumeFindings> {
  const { driver, mountpoint } = await requireVolume('use this target', volumeName);
  return { volumeName, driver, mountpoint, usedBy: await containersUsing(volumeName) };
}

/** The volume, or NotFound. */
export async function requireVolume(what: string, name: string): Promise<DockerVolume> {
  const volume = await findVolume(name);
  if (volume === undefined || (await isLeftByAttempt(volume))) throw missingVolume(what, name);
  return volume;
}

export function missingVolume(what: string, name: string): BackupError {
  return new BackupError('NotFound', `cannot ${what}: because there is no volume ${JSON.stringify(name)}`, {
    hint: 'see which volumes there are: docker volume ls',
  });
}

/**
 * Whether the engine made the volume, empty, for the helper of an attempt that died before it could take it back. It counts
 * as missing, lest copies of nothing push out good ones; once any container uses it, it is somebody's.
 */
async function isLeftByAttempt({ name, labels }: DockerVolume): Promise<boolean> {
  return labels[LABEL.attempt] !== undefined && (await containersUsing(name, { stopped: true })).length === 0;
}
