import { findVolume, removeVolumeLabelled } from '../docker/volume.js';
import { removeContainer } from '../docker/helper-container.js';
import { LABEL, listContainers } from '../docker/helper-labels.js';

/** Whether the volume of that name is the one that an attempt made and told of by `onWhole`. */
export async function isVolumeOf(name: string, id: string): Promise<boolean> {
  return (await findVolume(name))?.labels[LABEL.restore] === id;
}

export interface SweepVolumeInput {
  into: string;
  /** Of the restore: 8 hexadecimal digits. */
  restoreToken: string;
}

/** Ends the containers of killed attempts of one restore, and removes the volume that they were filling; returns what there was. */
export async function sweepRestore({ into, restoreToken }: SweepVolumeInput): Promise<string[]> {
  const found = await listContainers([LABEL.restore], `{{.ID}} {{.Label "${LABEL.restore}"}}`);
  const containers = found.filter(([, token = '']) => token.startsWith(restoreToken)).map(([id = '']) => id);
  for (const id of containers) await removeContainer(id);
  const token = (await findVolume(into))?.labels[LABEL.restore];
  if (token?.startsWith(restoreToken) !== true) return containers;
  await removeVolumeLabelled(into, LABEL.restore, token);
  return [...containers, into];
}

/** The names of containers that were restoring a volume and have ended without their restore, which removes them. */
export async function findEndedRestores(service: string): Promise<string[]> {
  const found = await listContainers([`${LABEL.service}=${service}`, LABEL.restore], '{{.Names}} {{.State}}');
  return found.filter(([, state]) => state === 'exited' || state === 'dead').map(([name = '']) => name);
}
