import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing, naming } from '../../destinations/local-errors.js';
import { removeDirectory } from './removable-directory.js';
import { emptyAgain, restoringName, type FoundEmpty } from './restore-place.js';

/** What tells a directory from any other that had or will have its name; undefined where there is none. */
export async function directoryId(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path);
    return `${String(dev)}:${String(ino)}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export interface SweepDirectoryInput {
  into: string;
  /** Of the restore: 8 hexadecimal digits. */
  restoreToken: string;
  /** That killed attempts of it were filling where it is. */
  filled: FoundEmpty | undefined;
}

/** Removes what killed attempts of one restore had extracted; returns where that was. */
export async function sweepDirectories({ into, restoreToken, filled }: SweepDirectoryInput): Promise<string[]> {
  const path = await realpath(into).catch(() => into);
  const parent = dirname(path);
  const prefix = restoringName(basename(path), restoreToken);
  const names = await naming(`look through ${parent}`, () => readdir(parent));
  const left = names.filter((name) => name.startsWith(prefix)).map((name) => join(parent, name));
  for (const directory of left) await removeDirectory(directory);
  if (filled === undefined) return left;
  await emptyAgain(filled);
  return [...left, filled.path];
}
