import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Priority } from '../domain/priority.js';
import { throwIfAborted } from './abort.js';
import { endGroups } from './process-group.js';
import { launch, type Launch, type Stage } from './program.js';
import { lowerSession } from './session-priority.js';
import type { StageResult } from './stage-result.js';

export interface PipelineInput {
  /** In the order of the data; at least one. */
  stages: readonly Stage[];
  /** What the first reads; it stays the caller's to close. Default: nothing. */
  stdinFd?: number;
  /** `pipe`: the first reads what is written to the returned `stdin`. */
  stdin?: 'pipe';
  /**
   * `pipe`: the last one's output is read here. `ignore`: it goes nowhere. A number: it is written to that file, which
   * stays the caller's to close.
   */
  stdout: 'pipe' | 'ignore' | number;
  /** Ends all stages: SIGTERM to their groups, SIGKILL after a short grace. */
  signal?: AbortSignal;
  /** Of all stages. Default: that of this process. */
  priority?: Priority | undefined;
}

/** A started pipeline, with the ends that were asked for. */
export type Pipeline<Input extends PipelineInput = PipelineInput> = {
  /** One for each stage, in their order, once all have ended; judge them by `requireSuccess`. Never rejects. */
  finished: Promise<StageResult[]>;
  /** Once the last one has ended, the others maybe not yet. */
  lastEnded: Promise<StageResult>;
} & (Input['stdout'] extends 'pipe' ? WithOutput : unknown) &
  (Input extends { stdin: 'pipe' } ? WithInput : unknown);

interface WithOutput {
  /** To be read to its end or destroyed. Its end is no proof: it also ends when a process is killed. */
  stdout: Readable;
}

interface WithInput {
  /** To be written and ended. A write fails by EPIPE once the first stage reads no more. */
  stdin: Writable;
}

const STDERR_KEPT_BYTES = 16 * 1024;

/**
 * Starts the stages, each one's output handed to the next by file descriptor: the bytes between them never pass through
 * this process. All die with it. Throws ProgramMissing before anything is started, and Cancelled where `signal` aborted.
 */
export function startPipeline<const Input extends PipelineInput>(input: Input): Pipeline<Input> {
  throwIfAborted(input.signal);
  const launches = input.stages.map((program) => ({
    ...launch({ priority: input.priority, ...program }),
    cwd: program.cwd,
  }));
  const children: ChildProcess[] = [];
  try {
    for (const [index, next] of launches.entries()) children.push(startStage(next, index, children, input));
  } catch (error) {
    for (const child of children) child.stdout?.destroy();
    endGroups(children);
    throw error;
  }
  const ends = endOfEach(children, input);
  const finished = endOfAll(children, ends, input);
  const lastEnded = ends.at(-1);
  for (const [index, child] of children.entries()) {
    const { nice } = input.stages[index]?.priority ?? input.priority ?? { nice: 0 };
    if (nice > 0) void lowerSession(child, nice);
  }
  const stdin = input.stdin === 'pipe' ? children[0]?.stdin : undefined;
  const stdout = input.stdout === 'pipe' ? children.at(-1)?.stdout : undefined;
  stdin?.on('error', () => undefined); // who writes is told by the write's own callback
  return { finished, lastEnded, stdin, stdout } as Pipeline<Input>; // node makes the ends that `spawn` was told to make
}

function startStage(
  { file, args, env, cwd }: Launch & { cwd: string | undefined },
  index: number,
  before: readonly ChildProcess[],
  { stages, stdin, stdinFd, stdout }: PipelineInput,
): ChildProcess {
  const source = before.at(-1)?.stdout ?? undefined;
  const child = spawn(file, args, {
    env,
    cwd,
    detached: true,
    stdio: [source ?? stdin ?? stdinFd ?? 'ignore', index === stages.length - 1 ? stdout : 'pipe', 'pipe'],
  });
  // Our copy of the pipe's end: kept open, the writer would never learn that its reader is gone.
  source?.destroy();
  return child;
}

function endOfEach(children: readonly ChildProcess[], { stages }: PipelineInput): Promise<StageResult>[] {
  let ended = 0;
  const takeOrder = () => ended++;
  return children.map((child, index) => endOf(child, stages[index] ?? { file: child.spawnfile, args: [] }, takeOrder));
}

async function endOfAll(
  children: readonly ChildProcess[],
  ends: readonly Promise<StageResult>[],
  { signal }: PipelineInput,
): Promise<StageResult[]> {
  let callOff = () => {};
  const end = () => {
    callOff = endGroups(children);
  };
  signal?.addEventListener('abort', end, { once: true });
  const results = await Promise.all(ends);
  signal?.removeEventListener('abort', end);
  callOff();
  return results;
}

async function endOf(child: ChildProcess, { file, onStderr }: Stage, takeOrder: () => number): Promise<StageResult> {
  if (onStderr !== undefined) child.stderr?.on('data', onStderr);
  const errors = keepTail(child.stderr);
  const exit = await new Promise<Omit<StageResult, 'file' | 'stderr'>>((resolve) => {
    // `exit`, not `close`: the last stage's output may never be read to its end.
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal, endOrder: takeOrder() });
    });
    child.once('error', (error) => {
      if (child.pid !== undefined) return; // a signal that could not be sent: its end is still to come
      resolve({ exitCode: null, signal: null, endOrder: takeOrder() });
      child.stderr?.destroy(error);
    });
  });
  return { file, ...exit, stderr: await errors };
}

/** The last of what a stage says, or why it could not be started. */
function keepTail(stream: Readable | null | undefined): Promise<string> {
  let tail = Buffer.alloc(0);
  return new Promise((resolve) => {
    let failure = '';
    stream?.on('data', (chunk: Buffer) => {
      tail = Buffer.concat([tail, chunk]).subarray(-STDERR_KEPT_BYTES);
    });
    stream?.once('error', (error) => {
      failure = error.message;
    });
    if (stream == null) resolve('');
    else stream.once('close', () => resolve(tail.toString('utf8') + failure));
  });
}
