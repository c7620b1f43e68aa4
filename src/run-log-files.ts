import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, naming } from './destinations/local-errors.js';
import { LOG_DIRECTORY, logName, RUN_PATTERN } from './domain/names.js';

export interface RunLogFile {
  run: string;
  path: string;
}

const LOG_PATTERN = /^backup_(?<run>.+)\.log$/;
/** A line begins with the moment it was written: `2026-11-24T06:00:00.123Z …`. */
const TIME_LENGTH = new Date(0).toISOString().length;

/** The log of a run, or of the newest run that has one; undefined where there is none. */
export async function findRunLog(root: string, run?: string): Promise<RunLogFile | undefined> {
  const logs = (await listRunLogs(root)).filter((log) => run === undefined || log.run === run);
  // Ids repeat an hour each autumn and jump with the time zone: the moments in the logs do not.
  const dated = await Promise.all(logs.map(async (log) => ({ log, begun: await firstMoment(log.path) })));
  dated.sort((one, other) => (one.begun === other.begun ? 0 : one.begun < other.begun ? 1 : -1));
  return dated[0]?.log;
}

async function listRunLogs(root: string): Promise<RunLogFile[]> {
  const directory = join(root, LOG_DIRECTORY);
  const names = await naming(`list ${directory}`, () =>
    readdir(directory).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    }),
  );
  return names
    .map((name) => LOG_PATTERN.exec(name)?.groups?.['run'] ?? '')
    .filter((run) => RUN_PATTERN.test(run))
    .map((run) => ({ run, path: join(directory, logName(run)) }));
}

/** When the first line was written; empty for a log without one. */
async function firstMoment(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TIME_LENGTH), 0, TIME_LENGTH, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}
