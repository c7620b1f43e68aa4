import type { Client } from '@temporalio/client';
import { readIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import type { BaseRuntime } from '../runtime.js';
import { listSchedules } from '../temporal/schedules.js';

/** This service's name: as configured, as the directory says, or as the schedules in the namespace say where there is no directory here. */
export async function findService({ config, local }: BaseRuntime, client: Client): Promise<string> {
  const here = config.backup.service ?? (await readIdentity(local.root))?.service;
  if (here !== undefined) return here;
  const names = [...new Set((await listSchedules(client)).map((s) => s.memo.backupService))];
  if (names.length === 1 && names[0] !== undefined) return names[0];
  throw new BackupError('NotFound', `cannot tell which service this is: because ${local.root} has no identity yet`, {
    hint: 'start a worker once, or set backup_config.service',
  });
}
