import { realpath } from 'node:fs/promises';
import { mapBounded } from '../../bounded.js';
import { docker } from '../docker/docker.js';
import type { ContainerMount } from '../docker/helper-mount.js';
import { findOwnContainer } from '../docker/own-container.js';
import { inspectContainer, nameOf, type InspectedContainer } from '../quiesce/container.js';

/** Who uses a volume while it is read. */
export interface VolumeUse {
  /** Names of running containers. */
  usedBy: readonly string[];
  /** Whether nobody writes, since all users were brought to rest. */
  isAtRest: boolean;
}

/** Nobody was asked. */
export const UNKNOWN_USE: VolumeUse = { usedBy: [], isAtRest: false };

const LOOKS_AT_ONCE = 8;

/** Of those that use a volume, the ones that are not at rest. That at least one of these uses it shows that the entry means its users. */
export function usersBesides(
  atRest: readonly InspectedContainer[],
  users: readonly string[],
  isOfVolume: (mount: ContainerMount) => boolean,
): VolumeUse {
  const resting = new Set(atRest.map(nameOf));
  const usedBy = users.filter((names) => !names.split(',').some((name) => resting.has(name)));
  const isUser = atRest.some(({ Mounts }) => Mounts.some(isOfVolume));
  return { usedBy, isAtRest: isUser && usedBy.length === 0 };
}

/** Who uses the directory that this process sees as `path`, by what the engine says of each running container. */
export async function useOfPath(path: string, atRest: readonly InspectedContainer[]): Promise<VolumeUse> {
  const own = await findOwnContainer();
  const place = hostPath(await realpath(path), own?.mounts);
  if (place === undefined) return UNKNOWN_USE;
  const isOfVolume = ({ Source }: ContainerMount) => isWithin(Source, place) || isWithin(place, Source);
  const { stdout } = await docker({ args: ['ps', '--quiet', '--no-trunc'] });
  const ids = stdout.split('\n').filter((id) => id !== '' && id !== own?.id);
  const running = await mapBounded(ids, LOOKS_AT_ONCE, inspectContainer);
  const users = running
    .filter((container) => container?.Mounts.some(isOfVolume))
    .map((c) => nameOf(c as InspectedContainer));
  return usersBesides(atRest, users, isOfVolume);
}

/** Where the engine's machine has it: in a container that is behind one of its mounts. */
function hostPath(path: string, mounts: readonly ContainerMount[] | undefined): string | undefined {
  if (mounts === undefined) return path;
  const [mount] = mounts
    .filter(({ Destination }) => isWithin(path, Destination))
    .sort((one, other) => other.Destination.length - one.Destination.length);
  return mount === undefined ? undefined : mount.Source + path.slice(mount.Destination.length);
}

function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}
