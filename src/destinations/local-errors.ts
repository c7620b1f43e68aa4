import { constants } from 'node:os';
import { BackupError } from '../domain/errors.js';

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

/** Node has no name for it. */
const UNNAMED_EDQUOT = `Unknown system error -${String(constants.errno.EDQUOT)}`;
const OTHER_CODES = ['EIO', 'EISDIR', 'EFBIG', 'ENAMETOOLONG', 'EMFILE', 'ENFILE', 'EBUSY', 'ESTALE', 'ELOOP', 'EXDEV'];

/** An error of the file system, in words: `doing` reads `write /backups/x`. */
export function localError(doing: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof BackupError) return error;
  const cannot = (why: string) => `cannot ${doing}: because ${why}`;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case UNNAMED_EDQUOT:
      return new BackupError('DiskFull', cannot(code === 'ENOSPC' ? 'the disk is full' : 'the disk quota is used up'), {
        hint: 'free some space there, lower retention_count, or give backup_dir a larger disk',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new BackupError('Failed', cannot('permission is denied'), {
        hint: `let the user with id ${String(process.getuid?.())} read and write there`,
        cause: error,
      });
    case 'EROFS':
      return new BackupError('Failed', cannot('the file system is mounted read-only'), { cause: error });
    case 'ENOENT':
    case 'ENOTDIR':
      return new BackupError('Failed', cannot('there is no such file or directory'), { cause: error });
    default:
      if (!OTHER_CODES.includes(code)) return error; // a connection's, passing by
      return new BackupError('Failed', cannot(`the system says ${code}`), { cause: error });
  }
}

/** Runs `work`; an error of the file system becomes one that says what could not be done. */
export async function naming<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw localError(doing, error);
  }
}
