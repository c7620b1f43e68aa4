import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../../destinations/local-errors.js';
import { makeDirectory, namesIn, syncDirectory } from '../../destinations/local-files.js';
import { replaceTextFile } from '../../destinations/local-text.js';
import { knockAt, listenAt, type ProcessGuard } from '../process-guard.js';

/** In the backup directory, which is on the host: what was brought down is known there whatever becomes of the worker. */
const DIRECTORY = '.quiesced';
const ENDING = '.json';
/** The socket beside a record, on which the process listens that answers for it. */
const GUARD_ENDING = '.owner';

const container = z.object({ id: z.string().regex(/^[0-9a-f]{64}$/), name: z.string().min(1) });

const shape = z.object({
  format: z.literal('quiesced/1'),
  target: z.string(),
  run: z.string(),
  how: z.enum(['stop', 'pause']),
  /** All that the entry names, running or not: nobody else touches these meanwhile. */
  claimed: z.array(container),
  /** Those of them that ran, in the order in which they are brought down. */
  containers: z.array(
    container.extend({
      /** The engine's moment of its start: while that is the same, it never went down. */
      startedAt: z.string(),
      /** What the engine gives it to end by itself; -1: for ever. */
      graceSeconds: z.int(),
    }),
  ),
  at: z.iso.datetime(),
  until: z.iso.datetime(),
  /** Of the machine: another one has no stop under way. */
  bootId: z.string(),
  /** When it was first found without its process. */
  abandonedAt: z.iso.datetime().exactOptional(),
});

/** What is about to be brought down, or is down, and for whom. */
export type QuiesceRecord = z.infer<typeof shape>;
export type RecordedContainer = QuiesceRecord['containers'][number];

export interface FoundRecord {
  token: string;
  path: string;
  /** Undefined where it cannot be read. */
  record: QuiesceRecord | undefined;
}

export function recordDirectory(root: string): string {
  return join(root, DIRECTORY);
}

function recordPath(root: string, token: string): string {
  return join(recordDirectory(root), token + ENDING);
}

/** All records there are. One that vanishes meanwhile may have another name now: then all are read again. */
export async function listRecords(root: string): Promise<FoundRecord[]> {
  for (;;) {
    const names = await namesIn(recordDirectory(root));
    const found = await Promise.all(
      names.filter((name) => name.endsWith(ENDING)).map((name) => readRecord(root, name.slice(0, -ENDING.length))),
    );
    if (found.every((each) => each !== undefined)) return found;
  }
}

async function readRecord(root: string, token: string): Promise<FoundRecord | undefined> {
  const path = recordPath(root, token);
  try {
    return { token, path, record: shape.parse(JSON.parse(await readFile(path, 'utf8'))) };
  } catch (error) {
    return isMissing(error) ? undefined : { token, path, record: undefined };
  }
}

/** Durable when it resolves: the file and its name. */
export async function writeRecord(root: string, token: string, record: QuiesceRecord): Promise<void> {
  await replaceTextFile(recordPath(root, token), JSON.stringify(record, null, 2) + '\n');
}

export async function removeRecord(root: string, token: string): Promise<void> {
  await rm(recordPath(root, token), { force: true });
  await syncDirectory(recordDirectory(root));
}

/** Makes the record another one's, whole: of several who try at once one succeeds, the others are told false. */
export async function takeRecord(root: string, from: string, to: string): Promise<boolean> {
  try {
    await rename(recordPath(root, from), recordPath(root, to));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  await syncDirectory(recordDirectory(root));
  await rm(join(recordDirectory(root), from + GUARD_ENDING), { force: true });
  return true;
}

/** From now on this process answers for the record with that token, which is written afterwards. */
export async function guardRecord(root: string, token: string): Promise<ProcessGuard> {
  await makeDirectory(recordDirectory(root));
  return listenAt(recordDirectory(root), token + GUARD_ENDING);
}

/** Whether the process that answers for a record lives. Where that cannot be told it counts as living. */
export async function isGuarded(root: string, token: string): Promise<boolean> {
  const answer = await knockAt(recordDirectory(root), token + GUARD_ENDING);
  return answer !== 'ECONNREFUSED' && answer !== 'ENOENT';
}

export async function currentBootId(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}
