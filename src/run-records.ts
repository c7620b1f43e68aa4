import { RUN_PATTERN, RUN_RECORD_NAME, inRun, runId } from './domain/names.js';
import type { RunRecord } from './domain/run.js';
import type { Destination } from './destinations/destination.js';
import { BackupError } from './domain/errors.js';

/** How many seconds on a run looks for a free id: more runs than this in one second are no accident. */
const MAX_SECONDS_LATER = 600;

export interface ReserveRunInput {
  destination: Destination;
  start: Date;
  timeZone: string;
  /** The record with which the id is taken. */
  record: Omit<RunRecord, 'run'>;
}

/**
 * Takes the id of a run by creating its record. The same workflow gets the same id again (a retry, a reset); an id that another run has
 * (two schedules that meet, the repeated hour) gives way to the next free second.
 */
export async function reserveRun({ destination, start, timeZone, record }: ReserveRunInput): Promise<string> {
  for (let later = 0; later < MAX_SECONDS_LATER; later++) {
    const run = runId(start, timeZone, later);
    const path = inRun(run, RUN_RECORD_NAME);
    const text = JSON.stringify({ ...record, run }, null, 2) + '\n';
    if ((await destination.createText(path, text)) === 'created') return run;
    if ((await readRunRecord(destination, run))?.workflowId === record.workflowId) return run;
  }
  throw new BackupError(
    'Conflict',
    `cannot reserve a run id: because ${MAX_SECONDS_LATER} seconds on from ${start.toISOString()} are taken`,
  );
}

/** A record that is missing or unreadable is `undefined`: it is derived, and no artifact depends on it. */
export async function readRunRecord(destination: Destination, run: string): Promise<RunRecord | undefined> {
  const text = await destination.readText(inRun(run, RUN_RECORD_NAME));
  if (text === undefined) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    return record instanceof Object && 'startedAt' in record ? (record as RunRecord) : undefined;
  } catch {
    return undefined;
  }
}

export async function writeRunRecord(destination: Destination, record: RunRecord): Promise<void> {
  await destination.replaceText(inRun(record.run, RUN_RECORD_NAME), JSON.stringify(record, null, 2) + '\n');
}

/** That of the newest run by its id: only one is read. */
export async function newestRecord(destination: Destination): Promise<RunRecord | undefined> {
  const newest = (await runsWithRecord(destination)).sort().at(-1);
  return newest === undefined ? undefined : readRunRecord(destination, newest);
}

/** All records of a destination, newest run first. */
export async function listRunRecords(destination: Destination): Promise<RunRecord[]> {
  const runs = await runsWithRecord(destination);
  const records = await Promise.all(runs.map((run) => readRunRecord(destination, run)));
  return records.filter((r) => r !== undefined).sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
}

async function runsWithRecord(destination: Destination): Promise<string[]> {
  return (await destination.list())
    .map((object) => object.path.split('/'))
    .filter(([run, name, ...rest]) => RUN_PATTERN.test(run ?? '') && name === RUN_RECORD_NAME && rest.length === 0)
    .map(([run]) => run ?? '');
}
