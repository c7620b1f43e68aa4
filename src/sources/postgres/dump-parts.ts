import { constants } from 'node:fs';
import { link, mkdir, open, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../../pipeline/abort.js';
import { pipelineToFile } from '../../pipeline/pipeline-to-file.js';
import { requireSuccess, runProgram, startPipeline, type Program, type StageResult } from '../../pipeline/process.js';
import { stageFailure, succeeded } from '../../pipeline/stage-result.js';
import { unfitBy, UnfitForJobs } from './unfit-for-jobs.js';
import { VerboseMessages } from './verbose-messages.js';

export interface DumpPartsInput {
  /** Empty, and nobody else's. */
  directory: string;
  /** pg_dump into the directory format, all but where to. */
  pgDump: Program;
  /** What compresses each part, by the number of its rows. */
  parts: ReadonlyMap<string, Program>;
  signal?: AbortSignal | undefined;
  /** Told all compressed bytes of the parts so far. */
  onProgress?: ((bytesDone: number) => void) | undefined;
}

export interface DumpedParts {
  /** As pg_dump made it, but that the rows of parts are pipes in it, which are empty by now. */
  archive: string;
  /** The compressed rows, each with the file's name in the archive. */
  parts: { dumpId: string; path: string; pipe: string }[];
  /** Without what pg_dump only says because it was asked to. */
  result: StageResult;
}

const POKE_MS = 50;
/** A job that nobody reads from any more says so, or dies without a word. */
const BROKEN_PIPE = /broken pipe|worker process died unexpectedly/i;
const REASON_MS = 2000;

/**
 * Runs pg_dump by several jobs, the rows of each part through a compressor of its own. pg_dump has a job open the file of a table by its
 * name; where a pipe has that name, the rows go through it. Errors: UnfitForJobs where there are no pipes, those of the programs and the disk.
 */
export async function dumpParts(input: DumpPartsInput): Promise<DumpedParts> {
  const { directory, pgDump, signal, onProgress } = input;
  const archive = join(directory, 'dump');
  await mkdir(archive, { mode: 0o700 });
  const waiting = await makePipes(join(directory, 'pipes'), [...input.parts.keys()]);
  const giveUp = new AbortController();
  const ending = signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]);
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    if (!ending.aborted) failures.push(error);
    giveUp.abort();
  };
  const messages = new VerboseMessages();
  const program = { ...pgDump, args: [...pgDump.args, '--verbose', `--file=${archive}`], deathSignal: 'TERM' as const };
  const { finished } = startPipeline({
    stages: [{ ...program, onStderr: (piece) => messages.add(piece) }],
    stdout: 'ignore',
    signal: ending,
  });
  const total = sumOf(onProgress);
  // It looks whether its directory is empty before it says a word, and comes to rows some queries later.
  const pipes = Promise.race([messages.first, finished]).then(() => putPipes(archive, waiting));
  const compressing = pipes.then((made) =>
    Promise.all(made.map((pipe) => compressPart({ ...input, ...pipe, signal: ending, onProgress: total() }))),
  );
  const settled = compressing.then(() => undefined, fail);
  const [ended] = await finished;
  const result = { file: pgDump.file, exitCode: null, signal: null, endOrder: 0, ...ended, stderr: messages.text() };
  if (!succeeded(result)) {
    // One that could not write died of a compressor, which then says why.
    if (BROKEN_PIPE.test(result.stderr)) await Promise.race([settled, sleep(REASON_MS)]);
    fail(unfitBy(ended?.stderr ?? '') ?? stageFailure(result, 'dump'));
  }
  await releaseUnused(await pipes.catch(() => []), settled);
  throwIfAborted(signal);
  if (failures.length > 0) throw failures[0];
  return { archive, parts: await compressing, result };
}

interface Pipe {
  dumpId: string;
  pipe: string;
}

const NO_PIPES = 'no pipes can be made in the backup directory';

/** Before pg_dump starts: a program that makes them could take longer than pg_dump to its rows. */
async function makePipes(directory: string, dumpIds: string[]): Promise<Pipe[]> {
  const pipes = dumpIds.map((dumpId) => ({ dumpId, pipe: join(directory, `${dumpId}.dat`) }));
  if (pipes.length === 0) return [];
  await mkdir(directory, { mode: 0o700 });
  const names = pipes.map(({ pipe }) => basename(pipe));
  try {
    await runProgram({ file: 'mkfifo', args: ['-m', '600', ...names], cwd: directory });
  } catch (error) {
    throw new UnfitForJobs(NO_PIPES, error);
  }
  return pipes;
}

/** Gives them the names that pg_dump opens; never takes one that it has made itself. */
async function putPipes(archive: string, waiting: readonly Pipe[]): Promise<Pipe[]> {
  const put = async ({ dumpId, pipe }: Pipe) => {
    const name = join(archive, basename(pipe));
    await link(pipe, name);
    return { dumpId, pipe: name };
  };
  try {
    return await Promise.all(waiting.map(put));
  } catch (error) {
    const isLate = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new UnfitForJobs(isLate ? 'pg_dump came to rows before their pipes were there' : NO_PIPES, error);
  }
}

interface CompressPartInput extends DumpPartsInput, Pipe {}

/** The shell waits until pg_dump has opened the pipe, in which nobody else waits then. */
async function compressPart({ directory, parts, dumpId, pipe, signal, onProgress }: CompressPartInput) {
  const { file, args, priority } = parts.get(dumpId) ?? { file: 'false', args: [] };
  const path = join(directory, `${dumpId}.part`);
  await writeFile(path, '', { flag: 'wx', mode: 0o600 });
  const stages = [{ file: 'sh', args: ['-c', 'exec "$@" <"$0"', pipe, file, ...args] }];
  requireSuccess(await pipelineToFile({ stages, path, signal, onProgress, priority, durably: false }), 'compress');
  return { dumpId, pipe, path };
}

/** Opens pipes that pg_dump never opened, until nobody waits in one any more: their parts hold nothing. */
async function releaseUnused(pipes: readonly Pipe[], settled: Promise<void>): Promise<void> {
  const poke = () => {
    for (const { pipe } of pipes) {
      open(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
        .then((handle) => handle.close())
        .catch(() => undefined); // nobody waits there
    }
  };
  poke();
  const timer = setInterval(poke, POKE_MS);
  await settled.finally(() => clearInterval(timer));
}

/** What makes callbacks that each tell one number, of which `onProgress` is told the sum. */
function sumOf(onProgress: DumpPartsInput['onProgress']) {
  let all = 0;
  return () => {
    let own = 0;
    return (bytesDone: number) => {
      all += bytesDone - own;
      own = bytesDone;
      onProgress?.(all);
    };
  };
}
