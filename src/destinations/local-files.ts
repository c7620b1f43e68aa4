import { access, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, isMissing } from './local-errors.js';

/** Forces the bytes of a file to the disk, whoever wrote them. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

// What network and FUSE file systems answer that cannot sync a directory: there is nothing more to be had there.
const CANNOT_SYNC = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Forces the names in a directory to the disk: without it a new name can be gone after a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    await syncFile(path);
  } catch (error) {
    if (!CANNOT_SYNC.includes(codeOf(error) ?? '')) throw error;
  }
}

/** Makes one directory, durably; its parent has to be there. One that is there already is fine. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw error;
  }
  await syncDirectory(dirname(path));
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Writes a new file and forces it to the disk. Throws EEXIST where it is there. */
export async function writeNewFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The names in a directory, none where it is missing. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Removes the files of a directory that `isStale` names, and directories with all that is in them, in order of `namesIn`. */
export async function removeFiles(directory: string, isStale: (name: string) => boolean): Promise<void> {
  for (const name of await namesIn(directory)) {
    if (isStale(name)) await rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 });
  }
}
