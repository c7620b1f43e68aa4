import { BackupError } from '../../domain/errors.js';

/** An entry of a container's `Mounts`, as `docker inspect` shows it. */
export interface ContainerMount {
  Type: string;
  /** Of a volume. */
  Name?: string;
  /** On the engine's machine. */
  Source: string;
  Destination: string;
  RW: boolean;
}

/** The container that this process runs in, as its engine sees it. */
export interface OwnContainer {
  id: string;
  /** The id of its image. */
  image: string;
  mounts: readonly ContainerMount[];
}

export interface Mount {
  type: 'bind' | 'volume';
  source: string;
  target: string;
  readonly?: boolean;
  /** Given to the volume if this mount makes it, which shows afterwards that it was not there. */
  label?: string;
}

/**
 * The mount by which a helper container sees the file `path` (absolute, without symbolic links) under the same path. On a
 * host that is the file alone. In a container the path means nothing to the engine: there it is the mount of this container
 * that holds it, at its own place. Throws ConfigInvalid where the path lies on no mount.
 */
export function mountFor(path: string, ownContainer?: OwnContainer): Mount {
  if (ownContainer === undefined) return { type: 'bind', source: path, target: path };
  const mount = ownContainer.mounts
    .filter(({ Destination }) => isWithin(path, Destination))
    .sort((one, other) => other.Destination.length - one.Destination.length)[0];
  if (mount?.Type === 'bind') return { type: 'bind', source: mount.Source, target: mount.Destination };
  if (mount?.Type === 'volume' && mount.Name !== undefined)
    return { type: 'volume', source: mount.Name, target: mount.Destination };
  throw new BackupError(
    'ConfigInvalid',
    `cannot share ${path} with a helper container: because it lies on no volume or host directory of this container`,
    { hint: 'mount a host directory or a volume where backup_dir points to' },
  );
}

/** The mounts for several files; those that one mount holds share it. */
export function mountsFor(paths: readonly string[], ownContainer?: OwnContainer): Mount[] {
  const mounts = paths.map((path) => mountFor(path, ownContainer));
  return mounts.filter((mount, index) => mounts.findIndex(({ target }) => target === mount.target) === index);
}

/** The value of docker's `--mount`, which is a line of CSV. */
export function mountOption({ type, source, target, readonly, label }: Mount): string {
  const fields = [`type=${type}`, `source=${source}`, `target=${target}`];
  if (readonly === true) fields.push('readonly');
  // Without `volume-nocopy` the engine would fill an empty volume from the image.
  if (type === 'volume') fields.push('volume-nocopy');
  if (label !== undefined) fields.push(`volume-label=${label}`);
  return fields.map(csvField).join(',');
}

function csvField(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}
