import { randomBytes } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listenAt } from '../../src/sources/process-guard.js';
import { currentBootId } from '../../src/sources/quiesce/record.js';
import { OWNER, ownerOf, workerName, workersDirectory, type AttemptRecord } from '../../src/worker/attempt-record.js';

export const A_RECORD: Omit<AttemptRecord, 'owner'> = {
  format: 'attempt/1',
  namespace: 'default',
  workflowId: 'middle-earth/database/mordor',
  activity: 'captureTarget',
  attempt: 1,
  taskToken: 'AAAA',
  startedAt: '2026-11-24T03:00:00.000Z',
};

export interface DeadWorkerOptions {
  /** Default: that of this machine. */
  bootId?: string;
  /** What stands in its files beside the records. Default: nothing. */
  garbage?: readonly string[];
}

/** The directory that a worker leaves which dies with these attempts at hand: nobody listens on its socket any more. */
export async function leaveDeadWorker(
  root: string,
  records: readonly Partial<AttemptRecord>[],
  { bootId, garbage = [] }: DeadWorkerOptions = {},
): Promise<string> {
  const token = randomBytes(6).toString('hex');
  const directory = join(workersDirectory(root), workerName(bootId ?? (await currentBootId()), token));
  await mkdir(directory, { recursive: true });
  const guard = await listenAt(directory, 'alive');
  await rename(join(directory, 'alive'), join(directory, OWNER)); // else its end would remove it
  await guard.close();
  const owner = await ownerOf(directory);
  const texts = [...records.map((record) => JSON.stringify({ ...A_RECORD, owner, ...record })), ...garbage];
  await Promise.all(texts.map((text, index) => writeFile(join(directory, `${String(index)}.json`), text)));
  return directory;
}
