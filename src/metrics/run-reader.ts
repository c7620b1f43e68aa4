import { readdir } from 'node:fs/promises';
import { readIdentity } from '../directory-identity.js';
import type { LocalDestination } from '../destinations/local.js';
import { naming } from '../destinations/local-errors.js';
import { BackupError } from '../domain/errors.js';
import { RUN_PATTERN } from '../domain/names.js';
import type { RunOutcome } from '../domain/outcome.js';
import { readRunRecord } from '../run-records.js';
import { addRecord, type RunHistory } from './run-history.js';

/** How far back a target's last success is looked for. */
const MAX_RECORDS = 500;
const AT_ONCE = 16;

export interface ReadRunsInput {
  local: LocalDestination;
  service: string;
  /** Of the directory that is expected; empty: nobody knows. */
  directoryId: string;
  /** Of the targets whose last success is looked for. */
  keys: readonly string[];
}

/** Reads each run's record once: at first as far back as needed, then what is new. */
export class RunReader {
  readonly history: RunHistory = { lastRun: undefined, targets: new Map() };
  /** Runs that ended since this reader was made. */
  readonly ended: Record<RunOutcome, number> = { succeeded: 0, partial: 0, failed: 0, cancelled: 0 };
  readonly #sinceMs = Date.now();
  #seen = new Set<string>();

  /** Rejects where the directory is away or another one; what was read before stays. */
  async read(input: ReadRunsInput): Promise<void> {
    const { local, directoryId } = input;
    const identity = await readIdentity(local.root);
    if (identity === undefined || (directoryId !== '' && identity.id !== directoryId)) {
      throw new BackupError(
        'DirectoryUnknown',
        `cannot read the runs in ${local.root}: because it is another directory`,
      );
    }
    const runs = (await naming(`read ${local.root}`, () => readdir(local.root))).filter((name) =>
      RUN_PATTERN.test(name),
    );
    this.#seen = new Set(runs.filter((run) => this.#seen.has(run)));
    const unseen = runs.filter((run) => !this.#seen.has(run)).sort((one, other) => (one < other ? 1 : -1));
    for (let start = 0; start < unseen.length; start += AT_ONCE) {
      const batch = unseen.slice(start, start + AT_ONCE);
      if (this.#isFarEnough(batch[0] as string, input.keys)) return;
      await Promise.all(batch.map((run) => this.#add(run, input)));
    }
  }

  #isFarEnough(next: string, keys: readonly string[]): boolean {
    for (const run of this.#seen) if (run < next) return false; // it is new
    const isFound = (key: string) => this.history.targets.get(key)?.success !== undefined;
    return this.#seen.size >= MAX_RECORDS || (this.#seen.size > 0 && keys.every(isFound));
  }

  async #add(run: string, { local, service }: ReadRunsInput): Promise<void> {
    const record = await readRunRecord(local, run);
    if (record === undefined || record.outcome === 'running') return; // it may be there, or over, next time
    this.#seen.add(run);
    if (record.service !== service) return;
    addRecord(this.history, record);
    if (Date.parse(record.finishedAt ?? '') >= this.#sinceMs) this.ended[record.outcome] += 1;
  }
}
