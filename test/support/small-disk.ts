import { execFile } from 'node:child_process';
import { open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OwnTest } from './own-parts.js';

const run = promisify(execFile);

/** Gives a directory a file system of its own, of so many MiB; gone with the test, whoever still uses it. */
export async function mountSmallDisk({ onTestFinished }: OwnTest, directory: string, sizeMib: number): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${String(sizeMib)}m`, 'tmpfs', directory]);
  onTestFinished(async () => {
    await run('umount', ['--lazy', directory]);
  });
}

/** Writes a file until nothing more can be written. */
export async function fillDisk(directory: string): Promise<void> {
  const file = await open(join(directory, 'somebody-elses'), 'wx');
  try {
    const { bavail, bsize } = await statfs(directory);
    await file.writeFile(Buffer.alloc(bavail * bsize));
  } finally {
    await file.close();
  }
}
