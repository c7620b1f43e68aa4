import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { naming } from '../../destinations/local-errors.js';
import { BackupError } from '../../domain/errors.js';
import { jobsName } from '../../domain/names.js';
import type { Priority } from '../../domain/priority.js';
import type { Compression } from '../../domain/target.js';
import { compressor, decompressor } from '../../pipeline/compression.js';
import { Members } from '../../pipeline/members.js';
import { requireSuccess, runProgram, startPipeline, type Program, type StageResult } from '../../pipeline/process.js';
import { siblingClient, type PostgresClient } from '../../pipeline/tools.js';
import type { Session } from './connection.js';
import { dumpParts, type DumpedParts } from './dump-parts.js';
import { planDump } from './dump-plan.js';
import { splitAtMarks } from './split-at-marks.js';
import { UnfitForJobs } from './unfit-for-jobs.js';

export interface ParallelDumpInput {
  /** pg_dump's program with the options of this dump, for the format that is named. */
  program: (format: readonly string[]) => Program;
  pgDump: PostgresClient;
  compression: Compression;
  level: number;
  /** 2 or more. */
  jobs: number;
  /** An empty file, which is there already. */
  partPath: string;
  onProgress?: ((bytesDone: number) => void) | undefined;
  /** Of compressors and pg_restore; that of pg_dump is its program's. */
  priority?: Priority | undefined;
}

/** What small tables and large objects may take on the disk uncompressed. */
const MOST_REST_BYTES = 1024 ** 3;
/** Nothing at all is less when it is compressed. */
const SMALL_BYTES = 256;

/**
 * Dumps as plain SQL, the very bytes of a serial dump, by several jobs of pg_dump that share a snapshot. The text comes from pg_restore, which
 * prints an archive in the order and with the code of a serial dump; where it comes to the rows of a part, these are put in as they were
 * compressed. undefined where no two tables are worth a job. Errors: UnfitForJobs, and those of a serial dump.
 */
export async function dumpByJobs(session: Session, input: ParallelDumpInput): Promise<StageResult | undefined> {
  const { pgDump, program, jobs, partPath } = input;
  const { parts, restBytes } = await planDump(session, { pgDump, jobs, rehearsal: program(['--format=custom']) });
  if (parts.length < 2) return undefined;
  if (restBytes > MOST_REST_BYTES) {
    throw new UnfitForJobs('its small tables and large objects would need more than 1 GiB of the disk meanwhile');
  }
  const directory = jobsName(partPath);
  return naming(`write ${directory}`, async () => {
    await mkdir(directory, { mode: 0o700 });
    try {
      const dumped = await dumpParts({
        directory,
        pgDump: program(['--format=directory', `--jobs=${String(jobs)}`, '--compress=0', '--no-sync']),
        parts: new Map(parts.map(({ dumpId, threads }) => [dumpId, compressorOf(session, input, threads)])),
        signal: session.signal,
        onProgress: input.onProgress,
      });
      await join(session, input, dumped);
      return dumped.result;
    } finally {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    }
  });
}

function compressorOf(
  { tools }: Session,
  { compression, level, priority }: ParallelDumpInput,
  threads: number,
): Program {
  return { ...compressor(tools, compression, level, threads), priority };
}

/** Writes the dump to the part. What the archive names and a part lacks, or the other way round, is Damaged. */
async function join(session: Session, input: ParallelDumpInput, { archive, parts }: DumpedParts): Promise<void> {
  const mark = randomBytes(24).toString('hex');
  for (const { dumpId, pipe } of parts) {
    await rm(pipe);
    await writeFile(pipe, `${mark}${dumpId}\n`, { mode: 0o600 });
  }
  const { signal, env } = session;
  const reader = siblingClient(input.pgDump, 'pg_restore').path;
  const file = await open(input.partPath, 'r+');
  const giveUp = new AbortController();
  const ending = signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]);
  const { stdout, finished } = startPipeline({
    stages: [{ file: reader, args: ['--file=-', archive], env, priority: input.priority }],
    stdout: 'pipe',
    signal: ending,
  });
  const left = new Map(parts.map(({ dumpId, path }) => [dumpId, path]));
  const members = new Members({
    file,
    compressor: compressorOf(session, input, input.jobs),
    signal: ending,
    onProgress: input.onProgress,
  });
  const take = async (dumpId: string) => {
    const path = left.get(dumpId);
    left.delete(dumpId);
    if (path === undefined || (await isEmpty(path, session, input))) throw mismatch(`rows ${dumpId} are missing`);
    return path;
  };
  try {
    for await (const piece of splitAtMarks(stdout as AsyncIterable<Buffer>, mark)) {
      if ('text' in piece) await members.write(piece.text);
      else await members.append(await take(piece.id));
    }
    await members.end();
    requireSuccess(await finished, 'put a dump together');
    for (const path of left.values()) {
      if (!(await isEmpty(path, session, input))) throw mismatch('a part belongs nowhere');
    }
    await file.sync();
  } catch (error) {
    giveUp.abort();
    throw error;
  } finally {
    await finished;
    await file.close();
  }
}

/** Of a pipe that was never opened. Even of an empty table there is the line that ends its rows. */
async function isEmpty(path: string, { tools }: Session, { compression }: ParallelDumpInput): Promise<boolean> {
  if ((await stat(path)).size > SMALL_BYTES) return false;
  const { stdout } = await runProgram({ ...decompressor(tools, compression), stdin: await readFile(path) });
  return stdout === '';
}

function mismatch(reason: string): BackupError {
  return new BackupError('Damaged', `cannot put a dump together: because ${reason}`);
}
