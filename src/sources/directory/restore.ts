import { open } from 'node:fs/promises';
import { naming } from '../../destinations/local-errors.js';
import { BackupError } from '../../domain/errors.js';
import type { Compression } from '../../domain/target.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { decompressor } from '../../pipeline/compression.js';
import { feedFile } from '../../pipeline/feed.js';
import { requireSuccess, startPipeline } from '../../pipeline/process.js';
import { requireGnuTar, type Tools } from '../../pipeline/tools.js';
import { requireFreeDirectory, restoring } from './free-directory.js';
import { directoryId } from './leavings.js';
import { placeForEmpty, placeForNew, type FoundEmpty } from './restore-place.js';
import {
  ExtractionFailed,
  failureLines,
  NO_ROOM,
  remarks,
  TarLineReader,
  wasRefused,
  type TarLines,
} from '../tar/messages.js';
import { EXTRACT_ALL_OPTIONS, EXTRACT_OWN_OPTIONS, TAR_ENVIRONMENT } from '../tar/options.js';

export interface DirectoryRestoreInput {
  target: string;
  /** Absolute; not there, or an empty directory: else Conflict. */
  into: string;
  /** Its bytes were checked by the caller. */
  artifactPath: string;
  compression: Compression;
  tools: Tools;
  /** Stands in its name until it is whole. Default: random. */
  attemptToken?: string;
  /** Told before a directory is filled where it is. */
  onFilling?: (found: FoundEmpty) => Promise<void>;
  /** Told when it is whole and has only to take its name: what tells it from other directories, and the warnings. */
  onWhole?: (id: string, warnings: string[]) => Promise<void>;
  /** What was extracted is removed before the promise settles. */
  signal: AbortSignal;
  /** Told how many bytes of the artifact were read. */
  onProgress: (bytesRead: number) => void;
}

/**
 * Makes a directory out of the artifact of a volume, without Docker; under another name until it is whole, where that can
 * be. What was made is removed on any failure or abort. Returns what tar could not bring back and did not count as a
 * failure. Errors: Conflict, NotFound (no parent), DiskFull, ProgramMissing, ProgramFailed.
 */
export async function restoreDirectory(input: DirectoryRestoreInput): Promise<{ warnings: string[] }> {
  throwIfAborted(input.signal);
  requireGnuTar(input.tools);
  const state = await requireFreeDirectory(input);
  const { into, attemptToken } = input;
  const place = await (state === 'empty' ? placeForEmpty(into, attemptToken) : placeForNew(into, attemptToken));
  try {
    if (place.found !== undefined) await input.onFilling?.(place.found);
    const warnings = await extractArtifact(input, place.path);
    throwIfAborted(input.signal);
    await input.onWhole?.((await directoryId(place.path)) ?? '', warnings);
    await place.keep();
    return { warnings };
  } catch (error) {
    await place.giveUp().catch((left: unknown) => {
      throw notRemoved(error, left, place.path);
    });
    throw error;
  }
}

/** Extracts the artifact into a directory that is there; returns what tar remarked. */
export async function extractArtifact(input: DirectoryRestoreInput, directory: string): Promise<string[]> {
  const { artifactPath, compression, tools, signal, onProgress } = input;
  const isRoot = process.geteuid?.() === 0;
  const program = requireGnuTar(tools);
  const said = new TarLineReader(program);
  const args = [...(isRoot ? EXTRACT_ALL_OPTIONS : EXTRACT_OWN_OPTIONS), `--directory=${directory}`];
  const stages = [
    decompressor(tools, compression),
    { file: program.path, args, env: TAR_ENVIRONMENT, onStderr: said.take },
  ];
  const file = await naming(`read ${artifactPath}`, () => open(artifactPath, 'r'));
  try {
    const { stdin, finished } = startPipeline({ stages, stdin: 'pipe', stdout: 'ignore', signal });
    const facts = await feedFile(file, stdin, { signal, onProgress }).finally(() => finished);
    throwIfAborted(signal);
    const [unpacked, tar] = await finished;
    if (unpacked?.exitCode === 0 && tar?.exitCode != null && tar.exitCode > 0)
      throw unwritten(input, tar.exitCode, said.lines);
    if (NO_ROOM.test(said.lines.lastLines.join('\n'))) throw noRoom(input);
    requireSuccess(unpacked === undefined || tar === undefined ? [] : [unpacked, tar], restoring(input));
    if (facts === undefined) throw failed(input, 'more follows the end of its compressed data');
  } finally {
    await file.close();
  }
  const told = remarks(said.lines);
  return isRoot ? told : [ownedWarning(), ...told];
}

/** A plain user may give no file away, so what he restores is his. */
function ownedWarning(): string {
  return (
    `this user is not root: every file belongs to the user id ${String(process.geteuid?.())} now, whoever owned it ` +
    'before, and keeps its mode, set-user-id bits included; restore as root to bring the owners back'
  );
}

function unwritten(input: DirectoryRestoreInput, exitCode: number, lines: TarLines): BackupError {
  const { firstLines, lastLines } = lines;
  if (NO_ROOM.test([...firstLines, ...lastLines].join('\n'))) return noRoom(input);
  const hint =
    'bringing back owners, modes and devices takes root with CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_MKNOD and CAP_SETFCAP';
  const reason = `tar ended with code ${String(exitCode)}: ${failureLines(lines).join('\n')}`;
  return new ExtractionFailed(`cannot ${restoring(input)}: because ${reason}`, wasRefused(lines) ? hint : undefined);
}

function noRoom(input: DirectoryRestoreInput): BackupError {
  return new BackupError('DiskFull', `cannot ${restoring(input)}: because there is no space left`);
}

function failed(input: DirectoryRestoreInput, reason: string): BackupError {
  return new BackupError('ProgramFailed', `cannot ${restoring(input)}: because ${reason}`);
}

function notRemoved(cause: unknown, left: unknown, path: string): BackupError {
  const first = cause instanceof BackupError ? cause : new BackupError('Failed', String(cause), { cause });
  return new BackupError(first.code, `${first.message}; nor could what was made be removed`, {
    hint: `remove what is in ${path}`,
    cause: [cause, left],
  });
}
