import type { Client } from '@temporalio/client';
import { BackupError } from '../domain/errors.js';
import type { BaseRuntime } from '../runtime.js';
import { ownService } from '../steps/own-service.js';
import { connectClient, temporalSettings } from '../temporal/connection.js';
import { knownDirectoryIds, listSchedules, type ScheduleFound } from '../temporal/schedules.js';

/** What of Temporal several checks need, asked for once. Each part rejects for itself; nobody has to look at it. */
export interface TemporalAccess {
  address: string;
  namespace: string;
  client: Promise<Client>;
  schedules: Promise<ScheduleFound[]>;
  /** This service as configured, as the directory says, or as the one that has schedules here; undefined where nobody knows. */
  service: Promise<string | undefined>;
  /** The directory of this host as the schedules of this service know it. */
  expectedDirectoryId: Promise<string | undefined>;
  close: () => Promise<void>;
}

export function accessTemporal(runtime: BaseRuntime): TemporalAccess {
  const { address, namespace } = temporalSettings();
  const connecting = connectClient();
  const client = connecting.then((connected) => connected.client);
  const schedules = client.then(listSchedules);
  const service = serviceOf(runtime, schedules);
  const expectedDirectoryId = Promise.all([schedules, service]).then(([found, name]) =>
    name === undefined ? undefined : knownDirectoryIds(found, name)[runtime.config.host],
  );
  for (const part of [client, schedules, service, expectedDirectoryId]) part.catch(() => undefined);
  const close = () => connecting.then((connected) => connected.close()).catch(() => undefined);
  return { address, namespace, client, schedules, service, expectedDirectoryId, close };
}

async function serviceOf(runtime: BaseRuntime, schedules: Promise<ScheduleFound[]>): Promise<string | undefined> {
  const known = await ownService(runtime);
  if (known !== undefined) return known;
  const names = [...new Set((await schedules).map(({ memo }) => memo.backupService))];
  return names.length === 1 ? names[0] : undefined;
}

/** For what cannot be asked because Temporal does not answer: that itself is a problem of its own, with a hint of its own. */
export async function whereConnected<T>(what: string, part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ServerUnreachable') throw error;
    throw new BackupError('ServerUnreachable', `cannot tell ${what}: because the Temporal server is not reached`, {
      hint: 'mend that first',
      cause: error,
    });
  }
}
