import { chmod, readdir, rm } from 'node:fs/promises';
import { codeOf } from '../../destinations/local-errors.js';

/** Removes a directory with all that is in it, also where a restore has closed some of it to its owner. */
export async function removeDirectory(path: string): Promise<void> {
  await removeEntry(Buffer.from(path));
}

/** Removes all that is in a directory. */
export async function emptyDirectory(path: string): Promise<void> {
  await openUp(Buffer.from(path));
  for (const name of await readdir(path, { encoding: 'buffer' })) await removeEntry(below(Buffer.from(path), name));
}

async function removeEntry(path: Buffer): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) throw error;
    await openAll(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** Lets this user into a directory and all below it. Names are bytes: not each is text. */
async function openAll(directory: Buffer): Promise<void> {
  await openUp(directory);
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' });
  for (const entry of entries) if (entry.isDirectory()) await openAll(below(directory, entry.name));
}

/** What belongs to another stays as it is: removing it tells why it cannot be. */
async function openUp(directory: Buffer): Promise<void> {
  await chmod(directory, 0o700).catch(() => undefined);
}

function below(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}
