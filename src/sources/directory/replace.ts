import { access, constants, lstat, readdir, realpath, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isMissing, naming } from '../../destinations/local-errors.js';
import { BackupError } from '../../domain/errors.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { requireGnuTar } from '../../pipeline/tools.js';
import { directoryId } from './leavings.js';
import { extractArtifact, type DirectoryRestoreInput } from './restore.js';
import { usersOf } from './users.js';
import { isWithin, readMounts } from './mount-info.js';
import { requireDirectory } from './check.js';
import { removeDirectory } from './removable-directory.js';
import { placeBeside, restoringName } from './restore-place.js';

export interface DirectoryReplacement {
  target: string;
  /** Absolute. */
  into: string;
  /** What the old one's name ends with: `_before_20261124_030000`. */
  ending: string;
}

const BEFORE = /_before_\d{8}_\d{6}$/;

/** Refuses what `replaceDirectory` would refuse; the name under which the old one stays. Errors: NotFound, ConfigInvalid, Conflict. */
export async function requireReplaceableDirectory(
  wish: DirectoryReplacement,
): Promise<{ keptAs: string; warnings: string[] }> {
  const what = replacing(wish);
  await requireDirectory(what, wish.into).catch(async (error: unknown) => {
    throw (await cutShort(wish)) ?? error;
  });
  const path = await realpath(wish.into);
  const keptAs = path + wish.ending;
  const mounted = (await readMounts()).find(({ mountPoint }) => isWithin(mountPoint, path));
  if (mounted !== undefined || path === '/') {
    const reason = `${mounted?.mountPoint ?? path} is a mount point, which cannot be renamed`;
    throw new BackupError('Conflict', `cannot ${what}: because ${reason}`, {
      hint: 'restore beside it with `--into DIRECTORY`, stop what uses it and take over its content; or restore where it is a directory or a named volume',
    });
  }
  if (await exists(keptAs)) {
    const hint = 'try again: the next one is named by another second';
    throw new BackupError('Conflict', `cannot ${what}: because there is ${keptAs} already`, { hint });
  }
  await naming(`make a directory beside ${path}`, () => access(dirname(path), constants.W_OK | constants.X_OK));
  const hidden = await requireUnusedDirectory(wish, path);
  const told = `could not look into ${String(hidden)} processes of other users, which may use ${path}`;
  return { keptAs, warnings: hidden === 0 ? [] : [told] };
}

/**
 * Makes a directory out of the artifact and gives it the name of the one that is there, which stays under another name. After any failure or
 * abort the old one is where it was. A kill between the two renames leaves both beside the name, and `putBack` mends it.
 */
export async function replaceDirectory(
  input: DirectoryReplacement & Omit<DirectoryRestoreInput, 'onFilling'>,
): Promise<{ warnings: string[]; keptAs: string }> {
  const { signal, attemptToken } = input;
  throwIfAborted(signal);
  requireGnuTar(input.tools);
  const { keptAs } = await requireReplaceableDirectory(input);
  const path = await realpath(input.into);
  const stage = await naming(`make a directory beside ${path}`, () => placeBeside(path, attemptToken));
  try {
    const warnings = await extractArtifact(input, stage.path);
    await requireUnusedDirectory(input, path);
    throwIfAborted(signal);
    await input.onWhole?.((await directoryId(stage.path)) ?? '', warnings);
    await swap({ path, fresh: stage.path, keptAs });
    return { warnings, keptAs };
  } catch (error) {
    await removeDirectory(stage.path).catch(() => undefined); // what went wrong before counts; the next attempt finds it
    throw error;
  }
}

/** Gives the old directory its name again where a replacement was killed between its two renames; whether it was. */
export async function putBack({ into, ending }: DirectoryReplacement, restoreToken: string): Promise<boolean> {
  const path = await realpath(dirname(into)).then((parent) => `${parent === '/' ? '' : parent}/${basename(into)}`);
  const prefix = restoringName(basename(path), restoreToken);
  const isStaged = (await readdir(dirname(path))).some((name) => name.startsWith(prefix));
  if (!isStaged || (await exists(path)) || !(await exists(path + ending))) return false;
  await naming(`rename ${path + ending} to ${path}`, () => rename(path + ending, path));
  return true;
}

interface Swap {
  path: string;
  fresh: string;
  keptAs: string;
}

async function swap({ path, fresh, keptAs }: Swap): Promise<void> {
  await naming(`rename ${path} to ${keptAs}`, () => rename(path, keptAs));
  try {
    await naming(`rename ${fresh} to ${path}`, () => rename(fresh, path));
  } catch (error) {
    await naming(`rename ${keptAs} to ${path}`, () => rename(keptAs, path));
    throw error;
  }
}

async function requireUnusedDirectory(wish: DirectoryReplacement, path: string): Promise<number> {
  const { users, hidden } = await usersOf(path);
  if (users.length === 0) return hidden;
  const verb = users.length === 1 ? 'uses' : 'use';
  throw new BackupError('Conflict', `cannot ${replacing(wish)}: because ${users.join(', ')} ${verb} it`, {
    hint: 'end what uses it first',
  });
}

/** Why a directory may be missing: a restore was killed in the moment between two renames. */
async function cutShort({ target, into }: DirectoryReplacement): Promise<BackupError | undefined> {
  if (await exists(into)) return undefined;
  const names = await readdir(dirname(into)).catch(() => []);
  const before = names.filter((name) => name.startsWith(`${basename(into)}_before_`) && BEFORE.test(name)).sort();
  const last = before.at(-1);
  if (last === undefined) return undefined;
  const message = `cannot ${replacing({ target, into })}: because ${into} is not there, and ${last} beside it is`;
  return new BackupError('NotFound', message, {
    hint: `a restore was killed: bring back what was there by: mv ${dirname(into)}/${last} ${into}`,
  });
}

function replacing({ target, into }: Pick<DirectoryReplacement, 'target' | 'into'>): string {
  return `restore ${target} in place of the directory ${into}`;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}
