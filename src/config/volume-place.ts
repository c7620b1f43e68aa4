import type { NamedVolumeTarget, MountedVolumeTarget } from '../domain/target.js';
import type { Entry } from './entries.js';
import { isWithin, normalPath } from './paths.js';
import type { Problem } from './problem.js';
import type { VolumeInput } from './target-schema.js';
import type { YamlSource } from './yaml-source.js';

/** The two keys of which an entry of `volume_backups` has exactly one. */
export const PLACE_KEYS = ['volume_name', 'path'] as const;

/** What is wrong with how an entry says where its volume is, whatever else is wrong with it. */
export function placeProblems(source: YamlSource, { node, kind }: Entry): Problem[] {
  if (kind === 'database') return [];
  const [first, second] = PLACE_KEYS.filter((key) => source.pairOf(node, key) !== undefined);
  if (first === undefined) {
    const hint = 'add the one, as in volume_name: "shop_uploads", or the other, as in path: "/volumes/uploads"';
    return [source.problem(node, 'volume_name or path is missing', hint)];
  }
  if (second === undefined) return [];
  const hint =
    'volume_name is a volume that the Docker engine reads, path a directory that the worker has mounted: keep one';
  return [source.problem(source.pairOf(node, second)?.key, `${second}: the entry has ${first} already`, hint)];
}

/** An artifact must not hold the artifacts, nor be written into what it reads. */
export function pathProblems(source: YamlSource, { node }: Entry, data: VolumeInput, backupDir?: string): Problem[] {
  if (data.path === undefined || backupDir === undefined) return [];
  const path = normalPath(data.path);
  const relation = isWithin(path, backupDir) ? 'lies in' : isWithin(backupDir, path) ? 'holds' : undefined;
  if (relation === undefined) return [];
  const hint = 'mount the volume beside backup_dir, as in path: "/volumes/uploads"';
  return [source.problem(source.valueOf(node, 'path'), `path: ${path} ${relation} backup_dir (${backupDir})`, hint)];
}

/** Of an entry without `placeProblems`. */
export function placeOf({ volume_name: volumeName, path }: VolumeInput): Place {
  return path === undefined ? { volumeName: volumeName ?? '' } : { path: normalPath(path) };
}

type Place = Pick<NamedVolumeTarget, 'volumeName'> | Pick<MountedVolumeTarget, 'path'>;
