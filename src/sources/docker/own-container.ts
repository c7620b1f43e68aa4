import { readFile } from 'node:fs/promises';
import { BackupError } from '../../domain/errors.js';
import { inspectObject } from './docker.js';
import type { ContainerMount, OwnContainer } from './helper-mount.js';

interface InspectedContainer {
  Id: string;
  Image: string;
  Mounts: ContainerMount[];
}

/**
 * The id of the container that a process with this `/proc/self/mountinfo` runs in; undefined on a host. Docker mounts
 * `/etc/hostname` from the container's directory, also where `hostname:` is set or the network is the host's.
 */
export function ownContainerId(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [, , , root = '', mountPoint = ''] = line.split(' ');
    const id = /\/containers\/([0-9a-f]{64})\/hostname$/.exec(root)?.[1];
    if (mountPoint === '/etc/hostname' && id !== undefined) return id;
  }
  return undefined;
}

/** The container that this process runs in; undefined on a host. Throws ConfigInvalid where its engine is another one. */
export async function findOwnContainer(): Promise<OwnContainer | undefined> {
  const id = ownContainerId(await readMountinfo());
  if (id === undefined) return undefined;
  const found = await inspectObject<InspectedContainer>('container', id);
  if (found !== undefined) return { id: found.Id, image: found.Image, mounts: found.Mounts };
  throw new BackupError(
    'ConfigInvalid',
    `cannot use this Docker engine: because it does not run the container ${id.slice(0, 12)} that this process is in`,
    { hint: 'mount the socket of the engine that runs this container, /var/run/docker.sock' },
  );
}

/** Only Linux has the file, and only there do containers run. */
async function readMountinfo(): Promise<string> {
  return process.platform === 'linux' ? readFile('/proc/self/mountinfo', 'utf8') : '';
}
