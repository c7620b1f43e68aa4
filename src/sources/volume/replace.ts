import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { BackupError } from '../../domain/errors.js';
import type { Compression } from '../../domain/target.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { decompressor } from '../../pipeline/compression.js';
import type { Tools } from '../../pipeline/tools.js';
import { createVolume, findVolume } from '../docker/volume.js';
import { LABEL } from '../docker/helper-labels.js';
import { lastPosition } from './restore-position-poll.js';
import { clearLeavings, keptVolumes, undoStage, unfinishedTokens } from './leavings.js';
import { CLEAR_SCRIPT, KEEP_SCRIPT, STAGE_SCRIPT, SWAP_SCRIPT } from './replace-script.js';
import { requireUnused } from './replaceable.js';
import { lookAtStages, replacing, runStage, type StageFindings, type VolumeStage } from './stage.js';

export interface VolumeReplaceInput extends VolumeStage {
  /** The first digits of the token, which earlier attempts of this restore had too. */
  restoreToken: string;
  /** The volume that is made for the old content. */
  keptAs: string;
  /** Its bytes were checked by the caller. */
  artifactPath: string;
  compression: Compression;
  tools: Tools;
  /** Before the replacement begins all is undone, and the promise settles after that. */
  signal: AbortSignal;
  /** Told bytes: of the artifact, then of what is copied. */
  onProgress: (bytesRead: number) => void;
  log: (line: string) => void;
}

export interface ReplacedVolume {
  warnings: string[];
  /** The volume that keeps the old content. */
  keptAs: string;
}

/**
 * Replaces the content of a volume that nothing uses by that of the artifact; a copy of the old one stays. After any failure or abort the
 * volume is as it was; after a kill at any moment the next attempt makes it so, and goes on. Errors: NotFound, ConfigInvalid and Conflict
 * (see `requireReplaceable`), ServerUnreachable, DiskFull, ProgramMissing, ProgramFailed.
 */
export async function replaceVolume(input: VolumeReplaceInput): Promise<ReplacedVolume> {
  const { volume, signal, log } = input;
  throwIfAborted(signal);
  await requireUnused(input, input.restoreToken);
  const left = await clearLeavings(input, input.restoreToken, signal);
  if (left.length > 0) log(`put the volume ${volume} back to what it was before a restore that did not end`);
  const earlier = (await keptVolumes(input)).find(({ token }) => token.startsWith(input.restoreToken));
  if (earlier !== undefined) return { warnings: [], keptAs: earlier.name };
  try {
    return await replace(input);
  } catch (error) {
    return await settle(input, error);
  }
}

/** What came of a replacement whose attempt was killed after it was done. */
export async function findReplaced(
  input: Pick<VolumeReplaceInput, 'restoreToken'> & VolumeStage,
  signal: AbortSignal,
): Promise<ReplacedVolume | undefined> {
  const { restoreToken } = input;
  const keptByUs = async () => (await keptVolumes(input)).find(({ token }) => token.startsWith(restoreToken));
  if ((await keptByUs()) === undefined) return undefined;
  await clearLeavings(input, restoreToken, signal);
  const kept = await keptByUs();
  return kept && { warnings: [], keptAs: kept.name };
}

async function replace(input: VolumeReplaceInput): Promise<ReplacedVolume> {
  const { volume, keptAs, signal, onProgress, log } = input;
  const { file, args } = decompressor(input.tools, input.compression);
  const artifactPath = await realpath(input.artifactPath);
  const staged = await runStage(input, {
    ...{ script: STAGE_SCRIPT, args: [basename(file), ...args], artifactPath, signal, onProgress },
  });
  const warnings = linesOf(staged.lastWords);
  const artifactBytes = lastPosition(staged.lastOutput);
  onProgress(artifactBytes);
  log(`keeping what is in the volume ${volume} as ${keptAs}`);
  await makeKept(input);
  await runStage(input, {
    ...{ script: KEEP_SCRIPT, keptAs, signal },
    onProgress: (bytesRead) => onProgress(artifactBytes + bytesRead),
  });
  await requireUnused(input);
  throwIfAborted(signal);
  log(`replacing what is in the volume ${volume}`);
  // Takes moments, and whoever cancels meanwhile finds it done.
  await runStage(input, { script: SWAP_SCRIPT, signal: new AbortController().signal });
  return { warnings, keptAs };
}

async function makeKept(input: VolumeReplaceInput): Promise<void> {
  const { target, service, volume, keptAs, attemptToken } = input;
  const labels = { [LABEL.before]: attemptToken, [LABEL.beforeOf]: volume };
  await createVolume(keptAs, { ...labels, [LABEL.service]: service, [LABEL.target]: target });
  if ((await findVolume(keptAs))?.labels[LABEL.before] !== attemptToken) {
    throw new BackupError('Conflict', `cannot ${replacing(input)}: because there is a volume ${keptAs} already`, {
      hint: 'try again: the next one is named by another second',
    });
  }
}

/** After a failure: undone, unless the replacement was done and only its end was not heard of. */
async function settle(input: VolumeReplaceInput, cause: unknown): Promise<ReplacedVolume> {
  const { attemptToken, keptAs } = input;
  try {
    const found = await lookAtStages(input, new AbortController().signal);
    if (!unfinishedTokens(found).includes(attemptToken)) {
      const kept = (await keptVolumes(input)).some(({ token }) => token === attemptToken);
      if (kept) return { warnings: await clearDone(input, found), keptAs };
    }
    await undoStage(input, attemptToken, found);
  } catch (error) {
    throw notUndone(input, cause, error);
  }
  throw cause;
}

/** What a swap that was ended after its work had not removed any more; says so where it stays. */
async function clearDone(input: VolumeReplaceInput, { stages }: StageFindings): Promise<string[]> {
  if (stages.length === 0) return [];
  try {
    await runStage(input, { script: CLEAR_SCRIPT, signal: new AbortController().signal });
    return [];
  } catch (error) {
    return [`${stages.join(', ')} at the top of the volume may be removed, and could not be: ${String(error)}`];
  }
}

function notUndone({ keptAs, target }: VolumeReplaceInput, cause: unknown, error: unknown): BackupError {
  const first = cause instanceof BackupError ? cause : new BackupError('Failed', String(cause), { cause });
  const second = error instanceof Error ? error.message : String(error);
  return new BackupError(first.code, `${first.message}; nor could all be put back: ${second}`, {
    hint: `restore ${target} in place again, which puts it back first; where the volume ${keptAs} exists, it holds what was there`,
    cause: [cause, error],
  });
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split('\n');
}
