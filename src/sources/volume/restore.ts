import { randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { BackupError } from '../../domain/errors.js';
import type { Compression } from '../../domain/target.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { decompressor } from '../../pipeline/compression.js';
import type { Tools } from '../../pipeline/tools.js';
import { createVolume, findVolume, isVolumeName, removeVolumeLabelled } from '../docker/volume.js';
import { lastPosition, pollRestorePosition } from './restore-position-poll.js';
import { runHelper, type HelperEnd } from '../docker/helper-container.js';
import { ensureHelperImage } from '../docker/helper-image.js';
import { LABEL, restoresWith } from '../docker/helper-labels.js';
import { mountFor, type Mount } from '../docker/helper-mount.js';
import { RESTORE_SCRIPT, VOLUME_MOUNT_POINT } from '../docker/helper-script.js';
import type { HelperContainer } from '../docker/helper-options.js';
import { findOwnContainer } from '../docker/own-container.js';
import { ExtractionFailed, NO_ROOM } from '../tar/messages.js';

export interface VolumeRestoreInput {
  target: string;
  service: string;
  /** The new volume's name; Conflict where a volume of that name exists. */
  into: string;
  /** Its bytes were checked by the caller. */
  artifactPath: string;
  compression: Compression;
  /** Default: this container's own image, or one made of this host's programs. */
  helperImage?: string;
  /** A label of the volume and of the container that fills it. Default: random. */
  attemptToken?: string;
  /** Told when it is whole: what tells it from another volume of its name, and the warnings. */
  onWhole?: (id: string, warnings: string[]) => Promise<void>;
  /** Further labels of the volume and of the container that fills it. */
  labels?: Record<string, string>;
  tools: Tools;
  /** The container and the volume are removed before the promise settles. */
  signal: AbortSignal;
  /** Told how many bytes of the artifact were read, about each second. */
  onProgress: (bytesRead: number) => void;
}

/** What root needs to make any file with any owner, mode, capability and device number again. */
export const RESTORE_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP'];

/**
 * Makes a volume and fills it from the artifact; what was made is removed on any failure or abort. Returns what tar could
 * not bring back and did not count as a failure (an extended attribute that the file system lacks). Errors: Conflict,
 * ConfigInvalid (no name for a volume), ServerUnreachable (engine), DiskFull, ProgramMissing, ProgramFailed.
 */
export async function restoreVolume(input: VolumeRestoreInput): Promise<{ warnings: string[] }> {
  const { target, service, into, labels, signal } = input;
  throwIfAborted(signal);
  const what = doing(input);
  await requireFreeName(input);
  const token = input.attemptToken ?? randomUUID();
  const container = await helperFor(input, token);
  await createVolume(into, { ...labels, [LABEL.service]: service, [LABEL.target]: target, [LABEL.restore]: token });
  // The engine does not refuse a name that somebody took in the meantime.
  if ((await findVolume(into))?.labels[LABEL.restore] !== token) throw await conflict(what, into);
  try {
    const onStarted = (id: string) => pollRestorePosition(id, input.onProgress);
    const end = await runHelper(container, { what, signal, onStarted });
    const warnings = requireFullRestore(what, end);
    input.onProgress(lastPosition(end.lastOutput));
    await input.onWhole?.(token, warnings);
    return { warnings };
  } catch (error) {
    await removeUnfinished(into, token, error);
    throw error;
  }
}

/** Refuses what `restoreVolume` would refuse before it makes anything; for whoever has to bring the artifact from afar first. */
export async function requireFreeName({ target, into }: Pick<VolumeRestoreInput, 'target' | 'into'>): Promise<void> {
  const what = doing({ target, into });
  if (!isVolumeName(into)) {
    throw new BackupError('ConfigInvalid', `cannot ${what}: because that is no name for a volume`, {
      hint: 'take letters, digits, "_", "." and "-", a letter or digit first',
    });
  }
  if ((await findVolume(into)) !== undefined) throw await conflict(what, into);
}

function doing({ target, into }: Pick<VolumeRestoreInput, 'target' | 'into'>): string {
  return `restore ${target} into the volume ${JSON.stringify(into)}`;
}

async function conflict(what: string, into: string): Promise<BackupError> {
  const token = (await findVolume(into))?.labels[LABEL.restore];
  const unfinished = token === undefined ? [] : await restoresWith(token);
  if (unfinished.length === 0) {
    return new BackupError('Conflict', `cannot ${what}: because it exists`, {
      hint: 'choose another name by --into, or replace what the entry names by --in-place',
    });
  }
  return new BackupError('Conflict', `cannot ${what}: because another restore fills it, or was killed while it did`, {
    hint: `if nothing restores it now: docker rm --force ${unfinished.join(' ')} && docker volume rm ${into}`,
  });
}

async function helperFor(input: VolumeRestoreInput, token: string): Promise<HelperContainer> {
  const { target, service, into, compression, helperImage, tools, signal } = input;
  const artifactPath = await realpath(input.artifactPath);
  const ownContainer = await findOwnContainer();
  const { file, args } = decompressor(tools, compression);
  const volume: Mount = { type: 'volume', source: into, target: VOLUME_MOUNT_POINT };
  return {
    name: `backup-orchestrator-restore-${target}-${token}`,
    image: await ensureHelperImage({
      ...(helperImage !== undefined && { helperImage }),
      ...(ownContainer !== undefined && { ownContainer }),
      signal,
    }),
    labels: { ...input.labels, [LABEL.service]: service, [LABEL.target]: target, [LABEL.restore]: token },
    mounts: [volume, { ...mountFor(artifactPath, ownContainer), readonly: true }],
    capabilities: RESTORE_CAPABILITIES,
    env: { ARTIFACT: artifactPath },
    script: RESTORE_SCRIPT,
    args: [basename(file), ...args],
  };
}

function requireFullRestore(what: string, { exitCode, outOfMemory, lastWords }: HelperEnd): string[] {
  const lines = lastWords === '' ? [] : lastWords.split('\n');
  if (exitCode === 0) return lines;
  if (NO_ROOM.test(lastWords)) {
    throw new BackupError('DiskFull', `cannot ${what}: because there is no space left where the engine keeps volumes`);
  }
  const reason = outOfMemory ? 'ran out of memory' : `ended with code ${String(exitCode)}`;
  const message = `cannot ${what}: because its helper container ${reason}${lastWords === '' ? '' : `: ${lastWords}`}`;
  throw outOfMemory ? new BackupError('ProgramFailed', message) : new ExtractionFailed(message);
}

async function removeUnfinished(into: string, token: string, cause: unknown): Promise<void> {
  try {
    await removeVolumeLabelled(into, LABEL.restore, token);
  } catch (error) {
    const first = cause instanceof BackupError ? cause : new BackupError('Failed', String(cause), { cause });
    const hint = `remove the unfinished volume: docker volume rm ${into}`;
    throw new BackupError(first.code, `${first.message}; nor could the volume be removed`, {
      hint,
      cause: [cause, error],
    });
  }
}
