import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from '../destinations/local-files.js';
import { knockAt } from '../sources/process-guard.js';
import { currentBootId } from '../sources/quiesce/record.js';
import {
  OWNER,
  RECORD_ENDING,
  attemptRecordShape,
  isOfBoot,
  ownerOf,
  workersDirectory,
  type AttemptRecord,
} from './attempt-record.js';

/** A directory that is younger and has no record may be of one that is about to listen. */
const NEWBORN_MS = 60_000;
/** For so long nobody has to have written where nobody can tell who lives. One that did would make itself another directory. */
const UNKNOWN_MS = 7 * 24 * 60 * 60 * 1000;

/** A worker process that is known to have ended, and what it had at hand. */
export interface DeadWorker {
  directory: string;
  attempts: AttemptRecord[];
}

/**
 * The workers that died with attempts at hand. Told are those that are known to be dead: their socket is of this boot of this kernel,
 * which says that nobody listens on it. After a reboot, from another machine, through another mount nothing is known. Removes what is of
 * no use any more.
 */
export async function findDeadWorkers(root: string): Promise<DeadWorker[]> {
  const bootId = await currentBootId();
  const found: DeadWorker[] = [];
  for (const name of await namesIn(workersDirectory(root))) {
    const directory = join(workersDirectory(root), name);
    const attempts = await attemptsIn(directory); // before the knock: who has written one listens
    const answer = await knockAt(directory, OWNER);
    if (answer === 'open') continue;
    const isDead = answer === 'ECONNREFUSED' && isOfBoot(name, bootId);
    if (isDead && attempts.length > 0) found.push({ directory, attempts });
    else await removeOlder(directory, isDead ? NEWBORN_MS : UNKNOWN_MS);
  }
  return found;
}

export async function removeWorker(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

async function attemptsIn(directory: string): Promise<AttemptRecord[]> {
  const owner = await ownerOf(directory).catch(() => undefined);
  const names = (await namesIn(directory)).filter((name) => name.endsWith(RECORD_ENDING));
  const records = await Promise.all(names.map((name) => readRecord(join(directory, name))));
  return records.filter((record) => record !== undefined && record.owner === owner) as AttemptRecord[];
}

async function readRecord(path: string): Promise<AttemptRecord | undefined> {
  try {
    return attemptRecordShape.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined; // half written, or gone meanwhile
  }
}

async function removeOlder(directory: string, ageMs: number): Promise<void> {
  const facts = await stat(directory).catch(() => undefined);
  if (facts !== undefined && facts.mtimeMs < Date.now() - ageMs) await removeWorker(directory);
}
