import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BackupError } from '../../domain/errors.js';
import type { HelperEnd } from '../docker/helper-container.js';
import type { HelperMessages } from '../docker/helper-messages.js';
import type { VolumeUse } from '../volume/users.js';
import { failureLines, remarks, type TarLines } from './messages.js';

export interface CaptureEnd {
  /** For errors, after "cannot". */
  what: string;
  end: HelperEnd;
  messages: HelperMessages;
  /** Lies where the compressor wrote. */
  partPath: string;
}

/** Less than this left means that the compressor had nowhere to write: bgzip fails without telling why. */
const FULL_BYTES = 1024 * 1024;

/** How a shell, and our scripts, end where a program is not there. */
const PROGRAM_MISSING = 127;

/** Throws unless tar and the compressor ended well; tar's exit 1 is for `captureWarnings` to tell. */
export async function requireGoodEnd({ what, end, messages, partPath }: CaptureEnd): Promise<void> {
  const { exitCodes, lastLines } = messages;
  const told = (lines: readonly string[]) => (lines.length === 0 ? '' : `: ${lines.join('\n')}`);
  const fail = (reason: string, hint?: string) =>
    new BackupError('ProgramFailed', `cannot ${what}: because ${reason}`, hint === undefined ? {} : { hint });

  if (end.outOfMemory) throw fail('its helper container ran out of memory');
  if (exitCodes === undefined) {
    if (end.exitCode === 0)
      throw fail('what its helper wrote did not arrive in this host’s files', 'use the Docker engine of this host');
    const words = [...lastLines, ...(end.lastWords === '' ? [] : [end.lastWords])];
    if (end.exitCode === PROGRAM_MISSING) throw programMissing(what, words);
    throw fail(`its helper container ended with code ${String(end.exitCode)}${told(words)}`);
  }
  if (exitCodes.compressor !== 0) {
    // What tar says may quote the name of a file, and be caused by the compressor's end.
    const lines = lastLines.filter((line) => !line.startsWith('tar: '));
    if (await isFull(lines, partPath)) throw diskFull(what, partPath);
    throw fail(`the compressor ended with code ${String(exitCodes.compressor)}${told(lines)}`);
  }
  if (exitCodes.tar > 1) throw fail(`tar ended with code ${String(exitCodes.tar)}${told(failureLines(messages))}`);
  if (end.exitCode !== 0) throw fail(`its helper container ended with code ${String(end.exitCode)}`);
}

/**
 * What a person should know of a good end. `liveDatabases` look like data directories of running servers: they are copied hot, but
 * where all that use the volume were at rest.
 */
export function captureWarnings(
  messages: TarLines & Pick<HelperMessages, 'liveDatabases'>,
  { usedBy, isAtRest }: VolumeUse,
): string[] {
  const hotDatabases = isAtRest ? [] : messages.liveDatabases;
  return [...hotDatabases.map((directory) => hotCopyWarning(directory, usedBy)), ...remarks(messages)];
}

function hotCopyWarning(directory: string, usedBy: readonly string[]): string {
  const users = usedBy.length === 0 ? '' : `, and the volume is in use by ${usedBy.join(', ')}`;
  return (
    `${directory} looks like the data directory of a running PostgreSQL server (PG_VERSION beside postmaster.pid)${users}: ` +
    'a copy of files that are being written may not start again; make the database a target of its own'
  );
}

async function isFull(lines: readonly string[], partPath: string): Promise<boolean> {
  if (lines.some((line) => /No space left on device|Disk quota exceeded/.test(line))) return true;
  const { bavail, bsize } = await statfs(partPath);
  return bavail * bsize < FULL_BYTES;
}

function programMissing(what: string, words: readonly string[]): BackupError {
  return new BackupError('ProgramMissing', `cannot ${what}: because ${words.join('\n')}`, {
    hint: 'a helper_image needs bash, GNU tar and the compressor; without helper_image one is made of the programs that are here',
  });
}

function diskFull(what: string, partPath: string): BackupError {
  const message = `cannot ${what}: because there is no space left in ${dirname(partPath)}`;
  return new BackupError('DiskFull', message, { hint: 'free some, or lower retention_count' });
}
