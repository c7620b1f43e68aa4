import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, realpath, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, naming } from '../../destinations/local-errors.js';
import { readMounts } from './mount-info.js';
import { emptyDirectory, removeDirectory } from './removable-directory.js';

/** Where an archive is extracted until it is whole. */
export interface RestorePlace {
  path: string;
  /** Of a directory that is filled where it is: what was found. */
  found?: FoundEmpty;
  /** Gives it its name. */
  keep(): Promise<void>;
  /** Leaves everything as it was found. */
  giveUp(): Promise<void>;
}

/** An empty directory as it was. */
export interface FoundEmpty {
  path: string;
  uid: number;
  gid: number;
  mode: number;
}

/** No place for another directory: the parent is another's, or read-only. */
const CLOSED = ['EACCES', 'EPERM', 'EROFS'];

/** A place for a directory that is not there yet; its parent is. */
export async function placeForNew(into: string, token?: string): Promise<RestorePlace> {
  return naming(`make ${into}`, () => placeBeside(into, token));
}

/** A place for an empty directory: beside it, or in it where it cannot be replaced, as the mount point of a volume. */
export async function placeForEmpty(into: string, token?: string): Promise<RestorePlace> {
  const path = await realpath(into);
  if (await isMountPoint(path)) return placeWithin(path);
  try {
    return await placeBeside(path, token);
  } catch (error) {
    if (CLOSED.includes(codeOf(error) ?? '')) return placeWithin(path);
    throw error;
  }
}

/** A new directory beside one, or beside where one will be. */
export async function placeBeside(into: string, token = randomBytes(6).toString('hex')): Promise<RestorePlace> {
  const path = join(dirname(into), restoringName(basename(into), token));
  await mkdir(path, { mode: 0o700 });
  await chmod(path, 0o700); // in a directory with set-group-id it got that too, and tar would leave it on what it makes in there
  return {
    path,
    // Of directories, an empty one alone is replaced: what somebody put there meanwhile stays.
    keep: () => naming(`rename ${path} to ${into}`, () => rename(path, into)),
    giveUp: () => removeDirectory(path),
  };
}

/** What is not whole yet is called so, beside what it becomes. */
export function restoringName(name: string, token: string): string {
  return `.${name}.restoring-${token}`;
}

async function placeWithin(path: string): Promise<RestorePlace> {
  const { uid, gid, mode } = await stat(path);
  return {
    path,
    found: { path, uid, gid, mode },
    keep: () => Promise.resolve(),
    giveUp: () => emptyAgain({ path, uid, gid, mode }),
  };
}

/** Removes all that is in a directory, and gives it back what it had. */
export async function emptyAgain({ path, uid, gid, mode }: FoundEmpty): Promise<void> {
  await emptyDirectory(path);
  await chown(path, uid, gid).catch(() => undefined); // tar could not change it either
  await chmod(path, mode & 0o7777);
}

/** A directory that something is mounted on can be neither renamed nor replaced. `path` has no symbolic links. */
async function isMountPoint(path: string): Promise<boolean> {
  return (await readMounts()).some(({ mountPoint }) => mountPoint === path);
}
