import { insideVolume } from '../../test/support/docker-volume.js';
import { walk } from '../../test/support/walk.js';
import type { Portrait } from './comparison.js';
import { counted } from './counted.js';

/** Of each path its type, mode, owner, time, links, extended attributes, size and SHA-256. */
export async function readVolume(volume: string): Promise<Portrait> {
  const files = await walk(await insideVolume(volume));
  return new Map(files.map(({ path, ...properties }) => [path, properties]));
}

/** `120 paths, 1.9 MB, 2 symbolic links, 8 hard-linked files`. */
export function describeVolume(portrait: Portrait): string {
  const files = [...portrait.values()];
  const bytes = files.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes ?? 0), 0);
  const symbolic = files.filter(({ type }) => type === 'symlink').length;
  const hard = files.filter(({ sameFileAs }) => sameFileAs !== undefined).length;
  const links = [counted(symbolic, 'symbolic link'), counted(hard, 'hard-linked file')];
  return [counted(files.length, 'path'), `${(bytes / 1e6).toFixed(1)} MB`, ...links].join(', ');
}
