import { onlyOne, servicesOfArtifacts } from '../artifact-services.js';
import { establishIdentity, readIdentity, type DirectoryIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import type { BaseRuntime } from '../runtime.js';
import { knownDirectoryIds, type ScheduleFound } from '../temporal/schedules.js';
import { accessTemporal } from './temporal-access.js';

export interface InitDirectoryInput {
  runtime: BaseRuntime;
  /** Told what could not be asked. */
  say: (text: string) => void;
}

/**
 * Makes the backup directory the one that is expected: with the id that the schedule knows; else, where Temporal does not
 * answer or knows none, the one that it has or that the runs in it name; else a new one.
 */
export async function initDirectory({ runtime, say }: InitDirectoryInput): Promise<DirectoryIdentity> {
  const schedules = await findSchedules(runtime, say);
  const service = await serviceFor(runtime, schedules, say);
  const expectedId = service === undefined ? undefined : knownDirectoryIds(schedules, service)[runtime.config.host];
  return establishIdentity({
    root: runtime.local.root,
    initialise: true,
    ...(service !== undefined && { service }),
    ...(expectedId !== undefined && { expectedId }),
  });
}

async function findSchedules(runtime: BaseRuntime, say: (text: string) => void): Promise<ScheduleFound[]> {
  const temporal = accessTemporal(runtime);
  try {
    return await temporal.schedules;
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    say(`cannot tell whether a schedule knows this directory: ${error.message}`);
    return [];
  } finally {
    await temporal.close();
  }
}

/**
 * As configured; else the one that has artifacts and this directory; else the one that the namespace belongs to, before
 * the name of a directory that was made while nobody could be asked; else the one that has artifacts.
 */
async function serviceFor(
  { config, local, destinations }: BaseRuntime,
  schedules: readonly ScheduleFound[],
  say: (text: string) => void,
): Promise<string | undefined> {
  if (config.backup.service !== undefined) return config.backup.service;
  const ofDirectory = (await readIdentity(local.root).catch(ignoreDamaged))?.service;
  const ofArtifacts = await servicesOfArtifacts(destinations, say);
  if (ofDirectory !== undefined && ofArtifacts.has(ofDirectory)) return ofDirectory;
  const ofSchedules = new Set(schedules.map(({ memo }) => memo.backupService));
  return onlyOne(ofSchedules) ?? ofDirectory ?? onlyOne(ofArtifacts);
}

function ignoreDamaged(error: unknown): undefined {
  if (!(error instanceof BackupError)) throw error;
}
