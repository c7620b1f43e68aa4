import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { partName } from '../domain/names.js';
import { codeOf } from './local-errors.js';
import { isThere, syncDirectory, writeNewFile } from './local-files.js';
import { publish, removeParts } from './local-publish.js';

const MAX_REPLACEMENTS = 5;

/**
 * Creates a file (0600) whole and durable, or says that its name is taken; its directory has to be there. `token` is the
 * attempt's own word in the part's name.
 */
export async function createTextFile(path: string, text: string, token = newToken()): Promise<'created' | 'taken'> {
  if (await isThere(path)) {
    // Whoever made it may have died before its name was on the disk, or with its part beside it.
    await syncDirectory(dirname(path));
    await removeParts(path);
    return 'taken';
  }
  const part = partName(path, token);
  try {
    await writeNewFile(part, text);
    const outcome = await publish({ part, final: path });
    return outcome === 'published' ? 'created' : 'taken';
  } finally {
    // Once the name is there, whatever else was to get it has no use; others then see that it is taken.
    await rm(part, { force: true });
    if (await isThere(path)) await removeParts(path);
  }
}

/** Replaces or creates a file (0600) in one step, durably. */
export async function replaceTextFile(path: string, text: string): Promise<void> {
  for (let replacements = 1; ; replacements++) {
    const part = partName(path, newToken());
    try {
      await writeNewFile(part, text);
      await rename(part, path);
      break;
    } catch (error) {
      await rm(part, { force: true });
      // Another one replaced it just now and swept our part away.
      if (codeOf(error) !== 'ENOENT' || replacements === MAX_REPLACEMENTS) throw error;
    }
  }
  await syncDirectory(dirname(path));
  await removeParts(path);
}

function newToken(): string {
  return randomBytes(6).toString('hex');
}
