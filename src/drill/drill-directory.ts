import { chmod, chown, mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupError } from '../domain/errors.js';
import { naming } from '../destinations/local-errors.js';
import { runProgram } from '../pipeline/process.js';
import { knockAt, listenAt } from '../sources/process-guard.js';
import { removeDirectory } from '../sources/directory/removable-directory.js';
import { asServerUser, type ServerUser } from './server-user.js';

/** A directory for a drill, which is nobody else's while this process lives. */
export interface DrillDirectory {
  path: string;
  /** Removes it with all that is in it. */
  remove(): Promise<void>;
}

const PREFIX = '.drill-';
/** Listens as long as the process that made the directory lives: the kernel knows, whatever namespace asks. */
const GUARD = 'owner';
/** Between its making and the guard's listening. */
const UNGUARDED_MS = 60_000;

/**
 * Makes one in `scratch`, or in TMPDIR where the server's user cannot get there. First it removes those whose makers died.
 */
export async function makeDrillDirectory(scratch: string, user: ServerUser | undefined): Promise<DrillDirectory> {
  for (const parent of new Set([scratch, tmpdir()])) {
    await sweepDrills(parent);
    const path = await naming(`make room in ${parent}`, () => mkdtemp(join(parent, PREFIX)));
    const guard = await listenAt(path, GUARD);
    const remove = async () => {
      await guard.close();
      await removeAll(path);
    };
    if (user !== undefined) await chown(path, user.uid, user.gid);
    if (await isWithinReach(path, user)) return { path, remove };
    await remove();
  }
  const message = `cannot start a server for a drill: because the user ${user?.name ?? ''} cannot get to ${scratch}`;
  throw new BackupError('Failed', `${message} or ${tmpdir()}`, {
    hint: 'set TMPDIR to a directory that it can get to',
  });
}

/** Removes the directories of drills whose processes are gone. */
export async function sweepDrills(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const path = join(parent, name);
    if (await isAbandoned(path)) await removeAll(path).catch(() => undefined);
  }
}

/**
 * By the program: Node's own takes 2 KB of memory for each file. What that leaves, a server may still have written, or
 * its directory is closed to its owner.
 */
async function removeAll(path: string): Promise<void> {
  await runProgram({ file: 'rm', args: ['-rf', '--', path] }).catch(() => removeDirectory(path));
}

async function isAbandoned(path: string): Promise<boolean> {
  const answer = await knockAt(path, GUARD);
  if (answer === 'ECONNREFUSED') return true;
  if (answer !== 'ENOENT') return false;
  const facts = await stat(path).catch(() => undefined);
  return facts !== undefined && facts.mtimeMs < Date.now() - UNGUARDED_MS;
}

async function isWithinReach(path: string, user: ServerUser | undefined): Promise<boolean> {
  if (user === undefined) return true;
  await chmod(path, 0o700);
  const test = runProgram(asServerUser(user, { file: 'test', args: ['-w', path] }));
  return test.then(
    () => true,
    () => false,
  );
}
