import { readFile } from 'node:fs/promises';
import { BackupError } from '../domain/errors.js';

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not read it',
  ELOOP: 'its symbolic links go round in a circle',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is no UTF-8 text',
};

/** What to do where the name of the file is right, and something else is not. */
const HINTS: Record<string, () => string> = {
  EISDIR: () =>
    'name a file; where one is missing that a container mounts, Docker makes a directory: remove that, put the file there, and make the container anew (docker compose up -d --force-recreate)',
  EACCES: () => `let the user with id ${String(process.getuid?.())} read it`,
};

export interface TextFile {
  file: string;
  /** Returned where there is no such file; without it, that is an error. */
  otherwise?: string | undefined;
  /** What to do where it cannot be read, unless the reason tells. */
  hint: string;
}

/** The text of a file. Throws a BackupError (`ConfigInvalid`) where it cannot be read or is no UTF-8. */
export async function readTextFile({ file, otherwise, hint }: TextFile): Promise<string> {
  try {
    // Fatal: a byte that is no UTF-8 must not silently become another one within a password.
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && otherwise !== undefined) return otherwise;
    const why = REASONS[code] ?? message;
    throw new BackupError('ConfigInvalid', `cannot read ${file}: because ${why}`, {
      hint: HINTS[code]?.() ?? hint,
      cause: error,
    });
  }
}
