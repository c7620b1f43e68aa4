import { readFile } from 'node:fs/promises';
import { BackupError } from '../domain/errors.js';

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not read it',
  ELOOP: 'its symbolic links go round in a circle',
};

/** The text of the configuration. Throws a BackupError (`ConfigInvalid`) where it cannot be read or is no UTF-8. */
export async function readConfigFile(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is no UTF-8 text' : (REASONS[code ?? ''] ?? message);
    throw new BackupError('ConfigInvalid', `cannot read ${file}: because ${why}`, {
      hint: 'name your backups.yml with --config FILE or BACKUPS_FILE',
      cause: error,
    });
  }
}
