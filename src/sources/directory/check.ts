import { constants } from 'node:fs';
import { access, opendir, stat } from 'node:fs/promises';
import { isMissing, naming } from '../../destinations/local-errors.js';
import { BackupError } from '../../domain/errors.js';

/** Which directory on which file system: another one may be mounted under the same name. */
export interface MountedDirectory {
  device: bigint;
  inode: bigint;
}

/** The directory under `path`; NotFound where there is none, ConfigInvalid for something else. `what` follows "cannot". */
export async function requireDirectory(what: string, path: string): Promise<MountedDirectory> {
  const found = await naming(what, () =>
    stat(path, { bigint: true }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
  );
  if (found === undefined) {
    throw new BackupError('NotFound', `cannot ${what}: because ${path} is not there`, {
      hint: 'mount the volume there, or correct `path` in its entry',
    });
  }
  if (!found.isDirectory()) {
    throw new BackupError('ConfigInvalid', `cannot ${what}: because ${path} is not a directory`, {
      hint: '`path` is the directory where the volume is mounted',
    });
  }
  return { device: found.dev, inode: found.ino };
}

/** Whether nothing is in a directory; false too where this process may not look into it. */
export async function isEmptyDirectory(path: string): Promise<boolean> {
  try {
    const directory = await opendir(path);
    try {
      return (await directory.read()) === null;
    } finally {
      await directory.close();
    }
  } catch {
    return false;
  }
}

/** What can be said of a mounted volume without reading it: `empty`, or that there is something. */
export async function checkMounted(target: string, path: string): Promise<{ isEmpty: boolean }> {
  const what = `use ${target}`;
  await requireDirectory(what, path);
  await naming(`read ${path}`, () => access(path, constants.R_OK | constants.X_OK));
  return { isEmpty: await isEmptyDirectory(path) };
}
