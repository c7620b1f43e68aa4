import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RUN_PATTERN } from '../domain/names.js';
import type { StoredObject } from './destination.js';
import { codeOf, isMissing, localError } from './local-errors.js';

/** All files under `root` whose path begins with `prefix`; what vanishes meanwhile is left out. */
export async function listFiles(root: string, prefix = ''): Promise<StoredObject[]> {
  const within = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const found: StoredObject[] = [];
  for await (const path of walk(root, within)) {
    if (!path.startsWith(prefix)) continue;
    const file = await stat(join(root, path)).catch(() => undefined);
    if (file?.isFile() === true) found.push({ path, sizeBytes: file.size });
  }
  return found;
}

export async function listFolders(root: string): Promise<string[]> {
  const entries = await entriesOf(root, '');
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** `within` is empty or ends with `/`. Links to directories are not followed. */
async function* walk(root: string, within: string): AsyncGenerator<string> {
  for (const entry of await entriesOf(root, within)) {
    const path = within + entry.name;
    if (entry.isDirectory()) yield* walk(root, `${path}/`);
    else yield path;
  }
}

async function entriesOf(root: string, within: string) {
  try {
    return await readdir(resolve(root, within), { withFileTypes: true });
  } catch (error) {
    if (within !== '' && isMissing(error)) return [];
    // `lost+found` and the like are none of our business; a run's directory is.
    if (codeOf(error) === 'EACCES' && within !== '' && !RUN_PATTERN.test(within.split('/')[0] ?? '')) return [];
    throw localError(`list ${resolve(root, within)}`, error);
  }
}
