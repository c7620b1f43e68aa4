import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from '../../destinations/local-files.js';
import { engineReason } from '../docker/docker.js';
import { bringBack } from './container.js';
import {
  currentBootId,
  guardRecord,
  isGuarded,
  listRecords,
  recordDirectory,
  removeRecord,
  takeRecord,
  writeRecord,
  type FoundRecord,
  type QuiesceRecord,
  type RecordedContainer,
} from './record.js';

/** How long past its limit a living process may take: one that hangs brings nothing back. */
const OVERDUE_MS = 60_000;
/** What nobody's record goes with may be of one that is being written. */
const STRAY_MS = 60_000;

export interface RecoveryInput {
  /** The backup directory. */
  root: string;
  info: (line: string) => void;
  error: (line: string) => void;
}

/**
 * Brings back each container that a capture without a living process left down, and forgets the record. What cannot be brought back
 * keeps its record for the next look. Never throws: what is in the way is told.
 */
export async function recoverQuiesced(input: RecoveryInput): Promise<void> {
  try {
    for (const found of await listRecords(input.root)) await recover(input, found);
    await removeStrays(input.root);
  } catch (error) {
    input.error(`cannot look for containers that captures left down: because ${engineReason(error)}`);
  }
}

async function recover(input: RecoveryInput, { token: found, path, record }: FoundRecord): Promise<void> {
  const { root, error } = input;
  if (record === undefined) {
    return error(
      `cannot tell what a capture left down: because ${path} is damaged\nHINT: see by docker ps --all whether a container is to be started, then remove the file`,
    );
  }
  const isOverdue = Date.now() > Date.parse(record.until) + OVERDUE_MS;
  if (!isOverdue && (await isGuarded(root, found))) return;
  const token = randomBytes(6).toString('hex');
  const guard = await guardRecord(root, token);
  try {
    if (!(await takeRecord(root, found, token))) return;
    const taken = { ...record, abandonedAt: record.abandonedAt ?? new Date().toISOString() };
    if (await isAllBack(input, taken)) await removeRecord(root, token);
    else if (record.abandonedAt === undefined) await writeRecord(root, token, taken);
  } finally {
    await guard.close();
  }
}

/** In the reverse order; one that stands in the way keeps no other down. */
async function isAllBack(input: RecoveryInput, record: QuiesceRecord): Promise<boolean> {
  const bootId = await currentBootId();
  let isAll = true;
  for (const container of [...record.containers].reverse()) {
    if (!(await isBack(input, record, container, bootId))) isAll = false;
  }
  return isAll;
}

async function isBack(
  { info, error }: RecoveryInput,
  record: QuiesceRecord,
  container: RecordedContainer,
  bootId: string,
): Promise<boolean> {
  const { name } = container;
  const whose = `which the capture of ${record.target} (run ${record.run}) had brought down`;
  try {
    const found = await bringBack(record, container, bootId);
    if (found === 'back') info(`${name} runs, ${whose}`);
    if (found === 'gone') info(`${name} was removed, ${whose}: it is forgotten`);
    return found !== 'pending';
  } catch (thrown) {
    error(
      `cannot bring back ${name}, ${whose}: because ${engineReason(thrown)}\nHINT: it is tried again; see docker logs ${name}`,
    );
    return false;
  }
}

/** Sockets and parts of processes that died before their record was there. */
async function removeStrays(root: string): Promise<void> {
  const directory = recordDirectory(root);
  const names = await namesIn(directory);
  for (const name of names.filter((each) => !each.endsWith('.json'))) {
    const token = name.split('.')[0] ?? '';
    if (names.includes(`${token}.json`) || (await isGuarded(root, token))) continue;
    const path = join(directory, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && facts.mtimeMs < Date.now() - STRAY_MS) await rm(path, { force: true });
  }
}
