import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMissing, naming } from '../destinations/local-errors.js';
import { replaceTextFile } from '../destinations/local-text.js';
import type { Restored } from '../domain/restore-plan.js';
import { removeOlder } from './remove-older.js';

/** What an attempt at a restore leaves for the next one, in case it is killed. */
export interface RestoreNote {
  /** What was made is whole, and only its last step is missing: what tells it from others, and what is to be said of it. */
  whole?: { id: string; restored: Restored };
  /** A directory that is filled where it is; it was empty. */
  fills?: { path: string; uid: number; gid: number; mode: number };
  /** Roles that were made for it. */
  madeRoles?: string[];
}

export interface RestoreJournal {
  /** What the attempt before has noted, until it is cleared, and what this one has. */
  readonly known: RestoreNote;
  /** Adds to what is known; durable when it resolves. */
  note(note: RestoreNote): Promise<void>;
  /** Nothing is left, and nothing has to be known. */
  clear(): Promise<void>;
}

/** Of a restore that has one attempt alone. */
export const NO_JOURNAL: RestoreJournal = {
  known: {},
  note: () => Promise.resolve(),
  clear: () => Promise.resolve(),
};

/** What came of a restore of which all but the last step was noted, if that was done. */
export async function noted(
  { known: { whole } }: RestoreJournal,
  isThere: (id: string) => Promise<boolean>,
): Promise<Restored | undefined> {
  return whole !== undefined && (await isThere(whole.id)) ? whole.restored : undefined;
}

const DIRECTORY = '.restores';
const DAY_MS = 24 * 60 * 60 * 1000;
/** No restore is tried for so long. */
const OLDER_THAN_MS = 30 * DAY_MS;

/** The journal of one restore, kept in the backup directory; on a host that has none yet, among the temporary files. */
export async function openRestoreJournal(root: string, restoreToken: string): Promise<RestoreJournal> {
  const directory = join((await isDirectory(root)) ? root : tmpdir(), DIRECTORY);
  const path = join(directory, `${restoreToken}.json`);
  let known = await readNote(path);
  return {
    get known() {
      return known;
    },
    async note(note) {
      known = { ...known, ...note };
      await naming(`write ${path}`, async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await replaceTextFile(path, JSON.stringify(known) + '\n');
      });
      await removeOlder(directory, Date.now() - OLDER_THAN_MS);
    },
    async clear() {
      known = {};
      await rm(path, { force: true });
    },
  };
}

async function readNote(path: string): Promise<RestoreNote> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RestoreNote;
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
