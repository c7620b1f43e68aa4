import { isAbsolute, resolve } from 'node:path';
import { BackupError } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import { isMountedVolume, isNamedVolume } from '../domain/target.js';
import type { ConfiguredTarget } from './configured-target.js';

export interface PlaceInput {
  manifest: Manifest;
  configured: ConfiguredTarget | undefined;
  into: string | undefined;
  /** Where a relative directory begins. Absent: none is taken. */
  cwd: string | undefined;
}

/** Into what is restored. How a volume is reached now counts, else how it was when it was backed up. Directories are absolute. */
export function placeOf({ manifest: { target: name, source }, configured, into, cwd }: PlaceInput): string {
  if (source.kind === 'database') return into ?? source.database;
  if (source.kind === 'globals') return into ?? 'postgres';
  const target = configured?.state.is === 'enabled' ? configured.state.target : undefined;
  const isMounted = target === undefined ? 'path' in source : isMountedVolume(target);
  if (into !== undefined) return isMounted || isAbsolute(into) ? directoryOf(name, into, cwd) : into;
  if (target !== undefined && isMountedVolume(target)) return target.path;
  if ('volume' in source) return source.volume;
  return target !== undefined && isNamedVolume(target) ? target.volumeName : source.path;
}

function directoryOf(name: string, into: string, cwd: string | undefined): string {
  if (isAbsolute(into)) return resolve(into);
  if (cwd !== undefined) return resolve(cwd, into);
  const message = `cannot restore ${name} into ${into}: because that begins nowhere on another host`;
  throw new BackupError('ConfigInvalid', message, { hint: 'write the directory from / on' });
}
