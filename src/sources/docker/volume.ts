import { docker, inspectObject } from './docker.js';

export interface DockerVolume {
  name: string;
  driver: string;
  /** On the engine's machine. */
  mountpoint: string;
  labels: Record<string, string>;
}

/** What the engine takes as the name of a volume. Other text must not reach it: its API reads `../x` as a path. */
const VOLUME_NAME_PATTERN = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

interface InspectedVolume {
  Name: string;
  Driver: string;
  Mountpoint: string;
  Labels: Record<string, string> | null;
}

export function isVolumeName(name: string): boolean {
  return VOLUME_NAME_PATTERN.test(name);
}

/** The volume of that name, or undefined. Looks only: nothing is made. */
export async function findVolume(name: string): Promise<DockerVolume | undefined> {
  if (!isVolumeName(name)) return undefined;
  const found = await inspectObject<InspectedVolume>('volume', name);
  if (found === undefined) return undefined;
  return { name: found.Name, driver: found.Driver, mountpoint: found.Mountpoint, labels: found.Labels ?? {} };
}

/** Makes a volume; where one of that name exists, the engine returns that one unchanged: compare its labels. */
export async function createVolume(name: string, labels: Record<string, string>): Promise<void> {
  const labelled = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
  await docker({ args: ['volume', 'create', ...labelled, '--', name] });
}

/** Removes the volume, but only the one that carries this label; another of its name is left alone. */
export async function removeVolumeLabelled(name: string, label: string, value: string): Promise<void> {
  const volume = await findVolume(name);
  if (volume?.labels[label] === value) await docker({ args: ['volume', 'rm', '--', name] });
}

/** The names of the containers that use the volume: running ones, or `stopped` ones too. */
export async function containersUsing(name: string, { stopped = false } = {}): Promise<string[]> {
  const all = stopped ? ['--all'] : [];
  const args = ['ps', ...all, '--no-trunc', '--filter', `volume=${name}`, '--format', '{{.Names}}'];
  const { stdout } = await docker({ args });
  return stdout.split('\n').filter((line) => line !== '');
}
