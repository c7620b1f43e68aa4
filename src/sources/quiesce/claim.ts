import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { localError } from '../../destinations/local-errors.js';
import { isThere } from '../../destinations/local-files.js';
import { BackupError } from '../../domain/errors.js';
import { abortError, throwIfAborted } from '../../pipeline/abort.js';
import { join } from 'node:path';
import type { ProcessGuard } from '../process-guard.js';
import {
  guardRecord,
  isGuarded,
  listRecords,
  recordDirectory,
  removeRecord,
  writeRecord,
  type FoundRecord,
  type QuiesceRecord,
} from './record.js';

const POLL_MS = 250;
/** How long one waits for a worker to bring back what a dead one left down. */
const ABANDONED_MS = 120_000;

export interface ClaimInput {
  /** For errors, after "cannot". */
  what: string;
  root: string;
  /** As it is to be at that moment: it names what is claimed, nothing is down yet. */
  record: () => QuiesceRecord;
  signal: AbortSignal;
  /** Told at each look while others have one of the containers. */
  onWaiting: (target: string) => void;
}

/** That these containers are this attempt's alone, by its record on the host. */
export interface Claim {
  /** Replaces the record, durably. */
  write(record: QuiesceRecord): Promise<void>;
  /** Whether the record is still this attempt's: one that hung for long finds that others brought its containers back. */
  isHeld(): Promise<boolean>;
  /** Removes the record. */
  release(): Promise<void>;
  /** Leaves the record to whoever looks for those without a process. */
  abandon(): Promise<void>;
}

/**
 * Waits until no other attempt has one of the containers, and writes the record. Whoever sees another one's beside its own takes
 * its own back and tries again: of two who write at once at least one sees the other.
 */
export async function claimContainers(input: ClaimInput): Promise<Claim> {
  const { what, root, record, signal, onWaiting } = input;
  const token = randomBytes(6).toString('hex');
  const guard = await guardRecord(root, token).catch((error: unknown) => {
    throw localError(`${what} with its containers down: write ${recordDirectory(root)}`, error);
  });
  const startedAtMs = Date.now();
  try {
    for (;;) {
      throwIfAborted(signal);
      const other = (await othersWith(root, token, record())) ?? (await written(root, token, record()));
      if (other === undefined) return claimOf(root, token, guard);
      onWaiting(other.record?.target ?? '');
      if (Date.now() - startedAtMs > ABANDONED_MS && !(await isGuarded(root, other.token))) throw stuck(what, other);
      await sleep(POLL_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => {
        throw abortError(signal);
      });
    }
  } catch (error) {
    await removeRecord(root, token).finally(() => guard.close());
    throw error;
  }
}

/** Writes the record, and takes it back where another one has the same containers. */
async function written(root: string, token: string, record: QuiesceRecord): Promise<FoundRecord | undefined> {
  await writeRecord(root, token, record);
  const other = await othersWith(root, token, record);
  if (other !== undefined) await removeRecord(root, token);
  return other;
}

async function othersWith(root: string, token: string, { claimed }: QuiesceRecord): Promise<FoundRecord | undefined> {
  const ids = new Set(claimed.map(({ id }) => id));
  const others = (await listRecords(root)).filter((found) => found.token !== token);
  return others.find(({ record }) => record?.claimed.some(({ id }) => ids.has(id)));
}

function claimOf(root: string, token: string, guard: ProcessGuard): Claim {
  return {
    write: (record) => writeRecord(root, token, record),
    isHeld: () => isThere(join(recordDirectory(root), `${token}.json`)),
    release: () => removeRecord(root, token).finally(() => guard.close()),
    abandon: () => guard.close(),
  };
}

function stuck(what: string, { path, record }: FoundRecord): BackupError {
  const message = `cannot ${what}: because the containers that a capture of ${record?.target ?? ''} brought down are not back yet (${path})`;
  return new BackupError('Conflict', message, {
    hint: 'the log of the worker and `backupctl doctor` say why; they are brought back before anything else is stopped',
  });
}
