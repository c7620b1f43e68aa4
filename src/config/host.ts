import { BackupError } from '../domain/errors.js';
import { TARGET_NAME_PATTERN } from '../domain/names.js';
import { DEFAULT_HOST } from '../domain/target.js';
import type { Environment } from './environment.js';

/**
 * The host that this process works for: `BACKUP_HOST`, else `default`, whose worker is the orchestrator too. Throws a BackupError
 * (`ConfigInvalid`) for a name that cannot be part of a task queue's.
 */
export function hostOf(env: Environment): string {
  const host = env['BACKUP_HOST'] || DEFAULT_HOST;
  if (TARGET_NAME_PATTERN.test(host)) return host;
  throw new BackupError('ConfigInvalid', `cannot work for BACKUP_HOST ${JSON.stringify(host)}: because it is no name`, {
    hint: 'use up to 63 letters, digits, dots, underscores and hyphens, beginning with a letter or digit',
  });
}
