import { randomUUID } from 'node:crypto';
import { BackupError } from '../../domain/errors.js';
import { findVolume, removeVolumeLabelled } from '../docker/volume.js';
import { runHelper, type HelperEnd } from '../docker/helper-container.js';
import { ensureHelperImage } from '../docker/helper-image.js';
import { LABEL } from '../docker/helper-labels.js';
import { mountFor, type Mount } from '../docker/helper-mount.js';
import { VOLUME_MOUNT_POINT } from '../docker/helper-script.js';
import { findOwnContainer } from '../docker/own-container.js';
import { pollRestorePosition } from './restore-position-poll.js';
import { NO_ROOM } from '../tar/messages.js';
import { missingVolume } from './check.js';
import { BEFORE_MOUNT_POINT, EXIT, LOOK_SCRIPT } from './replace-script.js';
import { RESTORE_CAPABILITIES } from './restore.js';

/** The volume that is replaced, and by which attempt. */
export interface VolumeStage {
  target: string;
  service: string;
  volume: string;
  /** Hexadecimal digits. */
  attemptToken: string;
  /** Default: this container's own image, or one made of this host's programs. */
  helperImage?: string;
}

export interface StageStep {
  script: string;
  /** The script's `$1`, `$2` … */
  args?: readonly string[];
  /** Absolute, without symbolic links: what is extracted. */
  artifactPath?: string;
  /** The volume that keeps the old content. */
  keptAs?: string;
  /** Of another attempt, whose leavings are looked after. */
  token?: string;
  isReadOnly?: boolean;
  signal: AbortSignal;
  onProgress?: (position: number) => void;
}

export function replacing({ target, volume }: Pick<VolumeStage, 'target' | 'volume'>): string {
  return `restore ${target} in place of the volume ${JSON.stringify(volume)}`;
}

/** Runs one of the scripts of a restore in place to an end with 0. Errors: NotFound (no such volume; none is made), Conflict, DiskFull, ProgramFailed. */
export async function runStage(stage: VolumeStage, step: StageStep): Promise<HelperEnd> {
  const { target, service, volume, attemptToken, helperImage } = stage;
  const { script, args = [], artifactPath, keptAs, token = attemptToken, isReadOnly = false, signal } = step;
  const what = replacing(stage);
  const ownContainer = await findOwnContainer();
  const label = `${LABEL.restore}=${attemptToken}`;
  const mounts: Mount[] = [{ type: 'volume', source: volume, target: VOLUME_MOUNT_POINT, readonly: isReadOnly, label }];
  if (keptAs !== undefined) mounts.push({ type: 'volume', source: keptAs, target: BEFORE_MOUNT_POINT });
  if (artifactPath !== undefined) mounts.push({ ...mountFor(artifactPath, ownContainer), readonly: true });
  const container = {
    name: `backup-orchestrator-restore-${target}-${attemptToken}-${randomUUID().slice(0, 8)}`,
    image: await ensureHelperImage({
      ...(helperImage !== undefined && { helperImage }),
      ...(ownContainer !== undefined && { ownContainer }),
      signal,
    }),
    labels: { [LABEL.service]: service, [LABEL.target]: target, [LABEL.restore]: attemptToken },
    mounts,
    capabilities: RESTORE_CAPABILITIES,
    env: {
      ...{ VOLUME: VOLUME_MOUNT_POINT, BEFORE: BEFORE_MOUNT_POINT, TOKEN: token },
      ...(artifactPath !== undefined && { ARTIFACT: artifactPath }),
    },
    ...{ script, args },
  };
  let wasMissing = false;
  try {
    const end = await runHelper(container, {
      ...{ what, signal },
      onCreated: async () => {
        wasMissing = (await findVolume(volume))?.labels[LABEL.restore] === attemptToken;
        if (wasMissing) throw missingVolume(what, volume);
      },
      onStarted: (id) => (step.onProgress === undefined ? () => undefined : pollRestorePosition(id, step.onProgress)),
    });
    if (end.exitCode !== 0) throw stageFailure(what, end);
    return end;
  } finally {
    if (wasMissing) await removeVolumeLabelled(volume, LABEL.restore, attemptToken);
  }
}

function stageFailure(what: string, { exitCode, outOfMemory, lastWords }: HelperEnd): BackupError {
  const because = (reason: string) => `cannot ${what}: because ${reason}`;
  if (exitCode === EXIT.taken) {
    const hint = 'where one goes on, wait for it; else try again, which puts back what it left';
    return new BackupError('Conflict', because('another restore in place of it has begun'), { hint });
  }
  if (NO_ROOM.test(lastWords)) {
    const hint = 'there has to be room for the restored content and for a copy of the old one, which stays';
    return new BackupError('DiskFull', because('there is no space left where the engine keeps volumes'), { hint });
  }
  const reason = outOfMemory ? 'ran out of memory' : `ended with code ${String(exitCode)}`;
  const said = lastWords === '' ? '' : `: ${lastWords}`;
  return new BackupError('ProgramFailed', because(`its helper container ${reason}${said}`));
}

export interface StageFindings {
  /** Names of the stages in the volume, of this attempt or of others. */
  stages: string[];
  /** How much room the content takes and how much is free; absent where the helper has no programs for that. */
  takenBytes?: number;
  freeBytes?: number;
}

/** What is in the volume beside its content. Changes nothing. */
export async function lookAtStages(stage: VolumeStage, signal: AbortSignal): Promise<StageFindings> {
  const { lastOutput } = await runStage(stage, { script: LOOK_SCRIPT, isReadOnly: true, signal });
  const lines = lastOutput.split('\n').map((line) => line.split(' '));
  const all = (key: string) => lines.filter(([first]) => first === key).map(([, ...values]) => values);
  if (all('end').length === 0)
    throw new BackupError('Failed', `cannot ${replacing(stage)}: because what is in it could not be told`);
  const [[taken] = []] = all('taken');
  const [[blocks, blockBytes] = []] = all('free');
  return {
    stages: all('stage').flat(),
    ...(taken !== undefined && { takenBytes: Number(taken) }),
    ...(blocks !== undefined && { freeBytes: Number(blocks) * Number(blockBytes) }),
  };
}
