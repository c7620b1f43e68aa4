import { readFile, stat } from 'node:fs/promises';
import { BackupError } from '../domain/errors.js';
import type { StoredObject } from './destination.js';
import { isMissing, naming } from './local-errors.js';

/** Throws where the backup directory itself is missing: then nothing can be said of what lies in it. */
export async function assertRoot(root: string): Promise<void> {
  const found = await naming(`use ${root}`, () =>
    stat(root).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
  );
  if (found?.isDirectory() === true) return;
  throw new BackupError('NotFound', `cannot use ${root}: because there is no such directory`, {
    hint: 'mount the disk that belongs there, or have it made by: backupctl doctor --init-dir',
  });
}

export async function statObject(root: string, path: string, file: string): Promise<StoredObject | undefined> {
  return naming(`look for ${file}`, async () => {
    try {
      const found = await stat(file);
      return found.isFile() ? { path, sizeBytes: found.size } : undefined;
    } catch (error) {
      if (!isMissing(error)) throw error;
      await assertRoot(root);
      return undefined;
    }
  });
}

export async function readTextFile(root: string, file: string): Promise<string | undefined> {
  return naming(`read ${file}`, async () => {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if (!isMissing(error)) throw error;
      await assertRoot(root);
      return undefined;
    }
  });
}
