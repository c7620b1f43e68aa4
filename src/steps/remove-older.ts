import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes the files of a directory that nobody has written since a moment (milliseconds since the epoch). */
export async function removeOlder(directory: string, sinceMs: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < sinceMs) await rm(path, { force: true });
  }
}
