import { readIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import type { BaseRuntime } from '../runtime.js';

/** This service's name as the configuration or the backup directory knows it; undefined where neither does. */
export async function ownService({ config, local }: BaseRuntime): Promise<string | undefined> {
  if (config.backup.service !== undefined) return config.backup.service;
  try {
    return (await readIdentity(local.root))?.service;
  } catch (error) {
    // A directory that is damaged or unreadable knows nothing.
    if (error instanceof BackupError) return undefined;
    throw error;
  }
}
