import { readdir } from 'node:fs/promises';
import { removeContainer } from '../sources/docker/helper-container.js';
import { LABEL, listContainers, listVolumes } from '../sources/docker/helper-labels.js';
import { removeVolumeLabelled } from '../sources/docker/volume.js';

export interface SweepInput {
  service: string;
  /** Where the directories of drills lie; each lies there for as long as its process lives. */
  scratchDir: string;
}

/**
 * Removes the volumes, and ends the containers, of this service's drills that died: those whose directory is gone. To be called
 * after those directories were swept.
 */
export async function sweepDrillVolumes({ service, scratchDir }: SweepInput): Promise<void> {
  const ofService = `${LABEL.service}=${service}`;
  const containers = await listContainers([ofService, LABEL.drill], `{{.ID}} {{.Label "${LABEL.drill}"}}`);
  const volumes = await listVolumes([ofService, LABEL.drill], `{{.Name}} {{.Label "${LABEL.drill}"}}`);
  const living = new Set(await readdir(scratchDir)); // read last: a directory is made before, and removed after
  const isDead = ([, drill = '']: string[]) => !living.has(drill);
  for (const [id = ''] of containers.filter(isDead)) await removeContainer(id);
  for (const [name = '', drill = ''] of volumes.filter(isDead)) await removeVolumeLabelled(name, LABEL.drill, drill);
}
