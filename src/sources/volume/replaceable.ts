import { BackupError } from '../../domain/errors.js';
import { containersUsing, findVolume } from '../docker/volume.js';
import { LABEL, listContainers } from '../docker/helper-labels.js';
import { requireVolume } from './check.js';
import { lookAtStages, replacing, type StageFindings, type VolumeStage } from './stage.js';

export interface ReplaceableVolume extends StageFindings {
  /** Containers that use it and do not run. */
  stopped: string[];
}

/**
 * Refuses what `replaceVolume` would refuse. Looks only. Errors: NotFound (no such volume), ConfigInvalid (not of the local driver), Conflict
 * (in use, or the other name is taken), DiskFull.
 */
export async function requireReplaceable(
  stage: VolumeStage & { restoreToken: string; keptAs: string },
  signal: AbortSignal,
): Promise<ReplaceableVolume> {
  const { volume, keptAs } = stage;
  const what = replacing(stage);
  const { driver } = await requireVolume(what, volume);
  if (driver !== 'local') {
    throw new BackupError('ConfigInvalid', `cannot ${what}: because its driver is ${driver}, and not local`, {
      hint: 'restore beside it with `--into NAME`, and take over what is wanted',
    });
  }
  if ((await findVolume(keptAs)) !== undefined) {
    const hint = 'try again: the next one is named by another second';
    throw new BackupError('Conflict', `cannot ${what}: because there is a volume ${keptAs} already`, { hint });
  }
  await requireUnused(stage, stage.restoreToken);
  const found = await lookAtStages(stage, signal);
  const { takenBytes, freeBytes } = found;
  if (takenBytes !== undefined && freeBytes !== undefined && freeBytes < takenBytes) {
    const reason = `a copy of its ${String(takenBytes)} bytes would stay, and ${String(freeBytes)} are free`;
    const hint = 'make room where the engine keeps volumes';
    throw new BackupError('DiskFull', `cannot ${what}: because ${reason}`, { hint });
  }
  return { ...found, stopped: await containersUsing(volume, { stopped: true }) };
}

/** Refuses where a running or paused container uses the volume, but those of earlier attempts of this restore. Error: Conflict. */
export async function requireUnused(stage: VolumeStage, restoreToken = stage.attemptToken): Promise<void> {
  const own = await listContainers([LABEL.restore], `{{.Names}} {{.Label "${LABEL.restore}"}}`);
  const isOwn = (user: string) => own.some(([name, token]) => name === user && token?.startsWith(restoreToken));
  const users = (await containersUsing(stage.volume)).filter((user) => !isOwn(user));
  if (users.length === 0) return;
  const verb = users.length === 1 ? 'uses' : 'use';
  throw new BackupError('Conflict', `cannot ${replacing(stage)}: because ${users.join(', ')} ${verb} it`, {
    hint: `stop what uses it first: docker stop ${users.join(' ')}`,
  });
}
