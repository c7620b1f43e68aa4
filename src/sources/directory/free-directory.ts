import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing, naming } from '../../destinations/local-errors.js';
import { BackupError } from '../../domain/errors.js';
import { isEmptyDirectory } from './check.js';

/** What is to be restored where. */
export interface DirectoryWish {
  target: string;
  /** Absolute. */
  into: string;
}

/** For errors, after "cannot". */
export function restoring({ target, into }: DirectoryWish): string {
  return `restore ${target} into the directory ${into}`;
}

/** Refuses what `restoreDirectory` would refuse before it makes anything; for whoever has to bring the artifact from afar first. */
export async function requireFreeDirectory(wish: DirectoryWish): Promise<'missing' | 'empty'> {
  const { into } = wish;
  const what = restoring(wish);
  const conflict = (reason: string) =>
    new BackupError('Conflict', `cannot ${what}: because ${reason}`, {
      hint: 'choose another directory by --into: one that is not there yet, or is empty',
    });
  if (into === '/') throw conflict('that is everything');
  if (!(await exists(into))) {
    if (await isDirectory(dirname(into))) return 'missing';
    const hint = `make it first: mkdir -p ${dirname(into)}`;
    throw new BackupError('NotFound', `cannot ${what}: because ${dirname(into)} is not a directory`, { hint });
  }
  if (!(await isDirectory(into))) throw conflict('it is there, and not a directory');
  if (!(await isEmptyDirectory(into))) throw conflict('it is not empty');
  return 'empty';
}

/** Whether the name is taken, be it by a symbolic link to nowhere. */
async function exists(path: string): Promise<boolean> {
  return naming(`look at ${path}`, () =>
    lstat(path).then(
      () => true,
      (error: unknown) => {
        if (isMissing(error)) return false;
        throw error;
      },
    ),
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
