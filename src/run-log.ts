import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from './destinations/local-files.js';
import { DIRECTORY_IDENTITY_NAME, LOG_DIRECTORY, logName } from './domain/names.js';

export interface RunLog {
  /** Appends a line `<time> <text>`; never fails: a full disk must not turn a good backup into a failed one. */
  write(line: string): Promise<void>;
}

export interface RunLogInput {
  /** The backup directory. */
  root: string;
  run: string;
  redact: (text: string) => string;
  onError: (error: unknown) => void;
}

/** The log of a run, `<backup_dir>/logs/backup_<run>.log`, written while it goes on by every process that takes part. */
export function openRunLog({ root, run, redact, onError }: RunLogInput): RunLog {
  const directory = join(root, LOG_DIRECTORY);
  let last: Promise<void> = Promise.resolve();
  const append = async (text: string) => {
    try {
      // Nothing is made where the directory is not ours: a disk that is not mounted.
      if (!(await isThere(join(root, DIRECTORY_IDENTITY_NAME)))) return;
      await mkdir(directory, { recursive: true });
      await appendFile(join(directory, logName(run)), text, { mode: 0o600 });
    } catch (error) {
      onError(error);
    }
  };
  return {
    write(line) {
      const text = `${new Date().toISOString()} ${redact(line).trimEnd().replaceAll('\n', '\n    ')}\n`;
      last = last.then(() => append(text)); // in order, though nobody waits
      return last;
    },
  };
}
