import { realpath } from 'node:fs/promises';
import { BackupError } from '../../domain/errors.js';
import type { Priority } from '../../domain/priority.js';
import type { Compression, Source } from '../../domain/target.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { compressor, compressorVersion } from '../../pipeline/compression.js';
import { pipelineToFile } from '../../pipeline/pipeline-to-file.js';
import { requireSuccess, type StageResult } from '../../pipeline/process.js';
import { requireGnuTar, type Tools } from '../../pipeline/tools.js';
import { captureWarnings } from '../tar/capture-messages.js';
import { findLiveDatabases } from './live-databases.js';
import { hot, type Quiesce, type Rest } from '../quiesce/quiesce.js';
import { UNKNOWN_USE, useOfPath } from '../volume/users.js';
import { isEmptyDirectory, requireDirectory } from './check.js';
import { failureLines, TarLineReader, wasRefused, type TarLines } from '../tar/messages.js';
import { CREATE_OPTIONS, TAR_ENVIRONMENT } from '../tar/options.js';
import type { CapturedVolume } from '../volume/capture.js';

export interface MountedCaptureInput {
  target: string;
  /** Where the volume is mounted. */
  path: string;
  /** The worker's host, part of the source. */
  host: string;
  compression: Compression;
  level: number;
  /** An empty file, which is there already. */
  partPath: string;
  tools: Tools;
  /** tar and the compressor have ended before the promise settles. */
  signal: AbortSignal;
  /** Told after each piece, with all compressed bytes written so far. */
  onProgress: (bytesDone: number) => void;
  /** Of tar and the compressor. */
  priority?: Priority;
  /** Brings to rest what uses the volume, while it is read; asks a Docker engine. Default: nothing. */
  quiesce?: Quiesce;
}

/**
 * Writes the directory as a compressed tar archive to `partPath`, by a tar of this process; no Docker engine is asked without `quiesce`.
 * Errors: NotFound (no such directory), ConfigInvalid (no directory), ProgramFailed (a file that could not be read),
 * Conflict (something else was mounted there meanwhile), DiskFull, ProgramMissing.
 */
export async function captureMounted(input: MountedCaptureInput): Promise<CapturedVolume> {
  const { target, path, compression, partPath, tools, signal } = input;
  throwIfAborted(signal);
  const what = `archive ${target}`;
  const tar = requireGnuTar(tools);
  const before = await requireDirectory(what, path);
  await requireApart(what, path, partPath);

  const quiesce = input.quiesce ?? hot(signal);
  const { result, quiesced, warnings } = await quiesce(async (rest) => {
    const read = await readDirectory(input, tar, rest);
    const after = await requireDirectory(what, path);
    if (after.device !== before.device || after.inode !== before.inode) throw swapped(what, path);
    return read;
  });
  return {
    source: sourceOf(input),
    programs: { tar: tar.version, ...compressorVersion(tools, compression) },
    ...(quiesced && { quiesced }),
    warnings: [...warnings, ...result],
  };
}

/** Returns warnings. */
async function readDirectory(
  { target, path, compression, level, partPath, tools, onProgress, priority }: MountedCaptureInput,
  tar: ReturnType<typeof requireGnuTar>,
  { signal, containers }: Rest,
): Promise<string[]> {
  const isEmpty = await isEmptyDirectory(path);
  const liveDatabases = await findLiveDatabases(path);
  const use = liveDatabases.length > 0 && containers.length > 0 ? await useOfPath(path, containers) : UNKNOWN_USE;
  const said = new TarLineReader(tar);
  const args = [...CREATE_OPTIONS, `--directory=${path}`, '.'];
  const stages = [
    { file: tar.path, args, env: TAR_ENVIRONMENT, onStderr: said.take },
    compressor(tools, compression, level),
  ];
  const results = await pipelineToFile({ stages, path: partPath, signal, onProgress, priority });
  requireGoodEnd(`archive ${target}`, results, said.lines);
  const warnings = captureWarnings({ ...said.lines, liveDatabases }, use);
  return isEmpty ? [emptyWarning(path), ...warnings] : warnings;
}

/** The facts of `captureMounted` for an artifact that an earlier attempt wrote; its programs and warnings are not known. */
export function describeMounted(input: Pick<MountedCaptureInput, 'host' | 'path'>): Promise<CapturedVolume> {
  return Promise.resolve({ source: sourceOf(input), programs: {}, warnings: [] });
}

/** An archive that holds itself has no end. The configuration compared names; here links are followed. */
async function requireApart(what: string, path: string, partPath: string): Promise<void> {
  const [directory, part] = await Promise.all([realpath(path), realpath(partPath)]);
  if (!part.startsWith(`${directory}/`)) return;
  throw new BackupError('ConfigInvalid', `cannot ${what}: because ${path} holds the backup directory`, {
    hint: 'mount the volume beside backup_dir',
  });
}

/** 1 of tar: files changed or vanished while they were read, which the warnings tell. */
function requireGoodEnd(what: string, results: StageResult[], lines: TarLines): void {
  const [tar, ...others] = results;
  const othersEndedWell = others.every(({ exitCode }) => exitCode === 0);
  if (othersEndedWell && tar?.exitCode != null && tar.exitCode > 1) throw unread(what, tar.exitCode, lines);
  requireSuccess(results, what, (result) => result === tar && result.exitCode === 1);
}

function unread(what: string, exitCode: number, lines: TarLines): BackupError {
  const message = `cannot ${what}: because tar ended with code ${String(exitCode)}: ${failureLines(lines).join('\n')}`;
  if (!wasRefused(lines)) return new BackupError('ProgramFailed', message);
  return new BackupError('ProgramFailed', message, {
    hint: 'run the worker as root with CAP_DAC_READ_SEARCH (see docker-compose.no-socket.yml), or as a user who may read all of it',
  });
}

function swapped(what: string, path: string): BackupError {
  return new BackupError('Conflict', `cannot ${what}: because something else was mounted at ${path} meanwhile`, {
    hint: 'leave the mount alone while a run goes on; the attempt is made again',
  });
}

function emptyWarning(path: string): string {
  return `${path} is empty: so a directory looks whose volume is not mounted`;
}

function sourceOf({ host, path }: Pick<MountedCaptureInput, 'host' | 'path'>): Source {
  return { kind: 'volume', host, path };
}
