import { BackupError } from './errors.js';

/** The paths in `a,b/c`, each literal; a comma or backslash in one is written `\,` and `\\`. Error: ConfigInvalid. */
export function splitPaths(list: string): string[] {
  if (/^,|,,|(?<!\\)(?:\\\\)*,$/.test(list) || list === '') throw unreadable(list);
  const items = list.match(/(?:\\[\s\S]|[^,\\])+|\\$/g) ?? [];
  return items.map((item) => item.replace(/\\([\\,])/g, '$1'));
}

function unreadable(list: string): BackupError {
  return new BackupError('ConfigInvalid', `cannot read ${JSON.stringify(list)}: because it is no list of paths`, {
    hint: 'write a path, or several with commas between them; a comma in one is written \\,',
  });
}

/** The path relative to the top of a volume, without `./` before it and `/` behind it. Error: ConfigInvalid. */
export function relativePath(path: string): string {
  const cannot = (reason: string) =>
    new BackupError('ConfigInvalid', `cannot restore the path ${JSON.stringify(path)}: because ${reason}`, {
      hint: 'write it relative to the top of the volume, such as `uploads/2026`',
    });
  if (path.startsWith('/')) throw cannot('it is absolute');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw cannot('".." leads out of what it names');
  if (parts.length === 0) throw cannot('it names the whole');
  if (path.includes('\0')) throw cannot('no file has such a name');
  return parts.join('/');
}
