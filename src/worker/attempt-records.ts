import { randomBytes } from 'node:crypto';
import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, namesIn } from '../destinations/local-files.js';
import { listenAt } from '../sources/process-guard.js';
import { currentBootId } from '../sources/quiesce/record.js';
import { OWNER, RECORD_ENDING, ownerOf, workerName, workersDirectory, type AttemptRecord } from './attempt-record.js';

export interface OpenRecordsInput {
  /** The backup directory. */
  root: string;
  /** Whether that is the one that this worker is to write to: else nothing is written there. */
  isOurs: () => Promise<boolean>;
}

/** What one worker process has at hand. Nothing of it throws, and nothing is forced to the disk. */
export interface AttemptRecords {
  /** How to forget what it has written; undefined where it could not. */
  write(record: Omit<AttemptRecord, 'owner'>): Promise<(() => Promise<void>) | undefined>;
  isThere(): Promise<boolean>;
  /** From then on nobody answers for what is written. Where something is, that is the case only when this process has ended. */
  close(): Promise<void>;
}

/** Undefined where there is no place for them. */
export async function openRecords({ root, isOurs }: OpenRecordsInput): Promise<AttemptRecords | undefined> {
  let directory: string | undefined;
  try {
    const bootId = await currentBootId();
    if (bootId === '' || !(await isOurs())) return undefined;
    directory = join(workersDirectory(root), workerName(bootId, randomBytes(6).toString('hex')));
    return await openIn(directory);
  } catch {
    if (directory !== undefined) await remove(directory);
    return undefined;
  }
}

async function openIn(directory: string): Promise<AttemptRecords> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const guard = await listenAt(directory, OWNER);
  const owner = await ownerOf(directory);
  let count = 0;
  return {
    async write(record) {
      const path = join(directory, `${String(++count)}${RECORD_ENDING}`);
      try {
        await writeFile(path, JSON.stringify({ ...record, owner }), { flag: 'wx', mode: 0o600 });
        return () => remove(path);
      } catch {
        await remove(path); // a full disk leaves an empty one
        return undefined;
      }
    },
    isThere: () => isThere(directory).catch(() => true),
    async close() {
      const names = await namesIn(directory).catch(() => []);
      if (names.some((name) => name.endsWith(RECORD_ENDING))) return;
      await guard.close();
      await rmdir(directory).catch(() => undefined);
    },
  };
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}
