import { BackupError } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import type { RestoreParts } from '../domain/restore-plan.js';
import { isMountedVolume, isNamedVolume } from '../domain/target.js';
import type { ConfiguredTarget } from './configured-target.js';
import type { RestorerInput } from './restorer.js';

/** Refuses parts of what has none of that kind, and to replace a whole by a part. Error: ConfigInvalid. */
export function requireFittingParts({ target, kind }: Manifest, parts: RestoreParts, inPlace: boolean): void {
  const cannot = (reason: string, hint: string) =>
    new BackupError('ConfigInvalid', `cannot restore parts of ${target}: because ${reason}`, { hint });
  const ofDatabase = [...(parts.tables ?? []), ...(parts.schemas ?? [])];
  if (ofDatabase.length > 0 && kind !== 'database') {
    throw cannot(`a ${kind} has no tables`, 'leave out `--tables` and `--schema`');
  }
  if ((parts.paths ?? []).length > 0 && kind !== 'volume') {
    throw cannot(`a ${kind} has no files`, 'leave out `--paths`');
  }
  if (inPlace && hasParts(parts)) {
    const hint = 'restore the parts beside it, without `--in-place`, and take over by hand what is wanted';
    throw cannot('in place of the whole they would lose the rest', hint);
  }
}

export function hasParts({ tables = [], schemas = [], paths = [] }: RestoreParts): boolean {
  return tables.length + schemas.length + paths.length > 0;
}

/** For kinds that do neither yet. */
export function requireSupported({ manifest, inPlace, parts }: RestorerInput): void {
  if (!inPlace && !hasParts(parts)) return;
  const what = inPlace ? 'in place' : 'in parts';
  throw new BackupError('ConfigInvalid', `cannot restore ${manifest.target} ${what}: because that is not there yet`, {
    hint: 'restore the whole beside it, with `--into`',
  });
}

/** What the target's entry names now: the database, volume or directory that a restore in place replaces. Error: ConfigInvalid. */
export function placeNamedNow({ target, kind }: Manifest, configured: ConfiguredTarget | undefined): string {
  const cannot = (reason: string, hint: string) =>
    new BackupError('ConfigInvalid', `cannot restore ${target} in place: because ${reason}`, { hint });
  const { state } = configured ?? {};
  if (state?.is === 'refused') throw cannot(`its entry has an error:\n${state.error}`, 'correct it');
  if (state?.is !== 'enabled') {
    throw cannot('no entry that is enabled names the place', 'add it again, or restore beside with `--into`');
  }
  const now = state.target;
  if (now.kind === 'database' && kind === 'database') return now.connection.database;
  if (now.kind === 'volume' && kind === 'volume') {
    if (isMountedVolume(now)) return now.path;
    if (isNamedVolume(now)) return now.volumeName;
  }
  throw cannot(
    `its entry is that of a ${now.kind} now, and the artifact is one of a ${kind}`,
    'restore it with `--into`',
  );
}
