import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { crc32 } from 'node:zlib';
import type { FileFacts } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import type { Priority } from '../domain/priority.js';
import type { Compression, DumpFormat, TargetKind } from '../domain/target.js';
import { throwIfAborted } from './abort.js';
import { BGZF_END, BGZF_MARK } from './bgzf.js';
import { feedFile } from './feed.js';
import type { Growth } from './growth.js';
import { requireSuccess, startPipeline } from './process.js';
import { readBgzf } from './small-bgzf.js';
import { failedStage } from './stage-result.js';
import { storedReader } from './stored-reader.js';
import type { Tools } from './tools.js';
import { contentCheck, endOf, flawOfEnd } from './whole-content.js';

export interface ProveInput {
  path: string;
  kind: TargetKind;
  compression: Compression;
  /** Of the dump of a database. Default: plain. */
  dumpFormat?: DumpFormat | undefined;
  tools: Tools;
  /** Whether an archive is read as one, and not only to its end. Default: false. */
  entryByEntry?: boolean;
  signal?: AbortSignal;
  /** Told the stored bytes that were read back so far. */
  onProgress?: (bytesDone: number) => void;
  /** Of the programs that read it. Default: that of this process. */
  priority?: Priority | undefined;
}

/** Below it two programs that start take longer than all that they read. */
const SMALL_BYTES = 256 * 1024;

/**
 * Reads the stored file back: hashes it and decompresses the same bytes to their end, which has to look as a finished
 * dump or archive does; a dump in custom format is read whole by pg_restore. Returns its facts. Errors: Damaged `cannot accept …: because …`, ProgramMissing, and
 * ProgramFailed where the decompressor was killed, which says nothing about the file.
 */
export async function proveArtifact(input: ProveInput): Promise<FileFacts> {
  const file = await open(input.path, 'r');
  try {
    const { size } = await file.stat();
    await requireEnd(file, size, input);
    const isSmall = size <= SMALL_BYTES;
    const seen = isSmall ? await readSmall(file, input) : undefined;
    if (seen !== undefined) return seen;
    return requireWhole(await readBack(file, input, isSmall), size, input);
  } finally {
    await file.close();
  }
}

export interface ProveGrowingInput extends ProveInput {
  growth: Growth;
}

/** The same of a file that is still being written, at its end alone; resolves after that. */
export async function proveGrowing(input: ProveGrowingInput): Promise<FileFacts> {
  const file = await open(input.path, 'r');
  try {
    const seen = await readBack(file, input, false);
    const { size } = await file.stat();
    await requireEnd(file, size, input);
    return requireWhole(seen, size, input);
  } finally {
    await file.close();
  }
}

async function requireEnd(file: FileHandle, size: number, input: ProveInput): Promise<void> {
  if (size === 0) throw damaged(input, 'it is empty');
  const isGzip = input.compression === 'gzip' && input.dumpFormat !== 'custom';
  if (isGzip && (await lacksBgzfEnd(file, size))) throw damaged(input, 'its end is missing');
}

function requireWhole({ facts, flaw }: ReadBack, size: number, input: ProveInput): FileFacts {
  if (facts === undefined) throw damaged(input, 'more follows the end of its compressed data');
  if (facts.sizeBytes !== size) {
    throw damaged(input, `${String(facts.sizeBytes)} of its ${String(size)} bytes could be read`);
  }
  if (flaw !== undefined) throw damaged(input, flaw);
  return facts;
}

interface ReadBack {
  facts: FileFacts | undefined;
  /** Why the content is not whole. */
  flaw: string | undefined;
}

/** The same without programs, for a small file of bgzip; undefined for every other, and for one with a flaw: programs say which. */
async function readSmall(file: FileHandle, input: ProveInput): Promise<FileFacts | undefined> {
  const { kind, compression, dumpFormat, entryByEntry = false, signal, onProgress } = input;
  if (compression !== 'gzip' || dumpFormat === 'custom' || entryByEntry) return undefined;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SMALL_BYTES + 1), 0, SMALL_BYTES + 1, 0);
  const bytes = buffer.subarray(0, bytesRead);
  let tail: Buffer = Buffer.alloc(0);
  const isRead = await readBgzf(bytes, (content) => (tail = endOf(tail, content)));
  throwIfAborted(signal);
  if (!isRead || bytesRead > SMALL_BYTES || flawOfEnd(kind, tail) !== undefined) return undefined;
  onProgress?.(bytesRead);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { sizeBytes: bytesRead, sha256, crc32: crc32(bytes).toString(16).padStart(8, '0') };
}

async function readBack(
  file: FileHandle,
  input: ProveInput & { growth?: Growth },
  isSmall: boolean,
): Promise<ReadBack> {
  const { kind, tools, compression, dumpFormat, entryByEntry = false, signal, onProgress, priority, growth } = input;
  const check = contentCheck({ kind, entryByEntry, isSmall });
  const { stdin, stdout, finished } = startPipeline({
    stages: [storedReader(tools, { compression, dumpFormat }), ...check.stages],
    priority,
    stdin: 'pipe',
    stdout: 'pipe',
    ...(signal !== undefined && { signal }),
  });
  const fed = feedFile(file, stdin, { signal, onProgress, growth, mayEndEarly: dumpFormat === 'custom' });
  const [facts, flaw] = await Promise.all([fed, check.read(stdout)]).finally(() => finished);
  throwIfAborted(signal);
  const results = await finished;
  try {
    requireSuccess(results, `accept ${basename(input.path)}`);
  } catch (error) {
    const stage = failedStage(error);
    if (stage === undefined || stage.exitCode === null || !(error instanceof BackupError)) throw error;
    throw new BackupError('Damaged', error.message, { cause: error });
  }
  return { facts, flaw };
}

/** Cut between two members such a file still is a valid gzip file, which every program reads without a word. */
async function lacksBgzfEnd(file: FileHandle, sizeBytes: number): Promise<boolean> {
  const head = await readAt(file, BGZF_MARK.offset, BGZF_MARK.bytes.length);
  if (!head.equals(BGZF_MARK.bytes)) return false;
  const end = await readAt(file, Math.max(0, sizeBytes - BGZF_END.length), BGZF_END.length);
  return !end.equals(BGZF_END);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function damaged({ path }: ProveInput, reason: string): BackupError {
  return new BackupError('Damaged', `cannot accept ${basename(path)}: because ${reason}`);
}
