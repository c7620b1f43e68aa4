import { naming } from '../destinations/local-errors.js';
import { BackupError } from '../domain/errors.js';
import { isGuarded, listRecords, recordDirectory, type FoundRecord } from '../sources/quiesce/record.js';
import type { Check } from './check.js';

/** Whether a capture has containers down, and whether it still lives. */
export function quiescedCheck(root: string): Check {
  return { check: 'quiesced', subject: root, run: () => checkRecords(root) };
}

async function checkRecords(root: string): Promise<string> {
  const records = await naming(`look through ${recordDirectory(root)}`, () => listRecords(root));
  const told = await Promise.all(records.map(async (found) => ({ found, isLiving: await isLiving(root, found) })));
  const lost = told.filter(({ isLiving }) => !isLiving);
  if (lost.length === 0) {
    return records.length === 0 ? 'no container is down for a capture' : records.map(describe).join('; ');
  }
  const because = lost.map(({ found }) => describe(found)).join('; ');
  throw new BackupError('Conflict', `cannot leave it so: because no process answers for ${because}`, {
    hint: 'start the worker of this host: it brings them back; where it runs its log says why it cannot. What is damaged is yours: docker ps --all, then remove the file',
  });
}

async function isLiving(root: string, { token, record }: FoundRecord): Promise<boolean> {
  return record !== undefined && isGuarded(root, token);
}

function describe({ path, record }: FoundRecord): string {
  if (record === undefined) return `${path}, which is damaged`;
  const names = record.containers.map(({ name }) => name).join(', ') || 'no container';
  return `${names} down for the capture of ${record.target} (run ${record.run}) since ${record.at}`;
}
