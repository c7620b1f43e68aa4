import { execa, type Options } from 'execa';
import { basename } from 'node:path';
import { BackupError } from '../domain/errors.js';
import { abortError, throwIfAborted } from './abort.js';
import { endGroups, type GroupLeader } from './process-group.js';
import { launch, type Program } from './program.js';
import { stageFailure, type StageResult } from './stage-result.js';

export type { Program, Stage } from './program.js';
export { startPipeline, type Pipeline, type PipelineInput } from './process-pipeline.js';
export { failedStage, lastLines, requireSuccess, type StageResult } from './stage-result.js';

export interface RunProgramInput extends Program {
  /** For its stdin. Default: an empty stdin. */
  stdin?: string | Uint8Array;
  /** Ends the program and all that it started; the reason is thrown where it is a BackupError, else Cancelled. */
  signal?: AbortSignal;
  /** The program is ended after this. Default: none. */
  timeoutMs?: number;
  /** More output than this is a failure. Default: 64 MiB. */
  maxOutputBytes?: number;
}

const DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Runs a program to its end and returns what it wrote. It dies with this process. Errors: ProgramMissing; ProgramFailed
 * with the last lines of stderr for a code other than 0, a signal, a time-out or too much output (see `failedStage`).
 */
export async function runProgram(input: RunProgramInput): Promise<{ stdout: string; stderr: string }> {
  const { signal, timeoutMs, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES, stdin = '' } = input;
  throwIfAborted(signal);
  const { file, args, env } = launch(input);
  const options = {
    ...{ env, extendEnv: false, reject: false, stripFinalNewline: false, maxBuffer: maxOutputBytes, input: stdin },
    ...{ detached: true, cleanup: false }, // a group of its own, ended by us; `setpriv` ends it when we are killed
    ...(input.cwd === undefined ? {} : { cwd: input.cwd }),
  } satisfies Options;
  const child = execa(file, args, options);
  const limits = holdTo(child, { signal, timeoutMs });
  const result = await child.finally(limits.lift);
  if (signal?.aborted) throw abortError(signal);
  const ended: StageResult = {
    file: input.file,
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    stderr: result.stderr,
    endOrder: 0,
  };
  if (limits.timedOut()) throw overLimit(ended, `it took longer than ${String(timeoutMs)} ms`);
  if (result.isMaxBuffer) throw overLimit(ended, `it wrote more than ${String(maxOutputBytes)} bytes`);
  if (result.failed) throw stageFailure(startable(ended, result.originalMessage), `run ${basename(input.file)}`, 'it');
  return { stdout: result.stdout, stderr: result.stderr };
}

interface Limits {
  signal: AbortSignal | undefined;
  timeoutMs: number | undefined;
}

function holdTo(child: GroupLeader, { signal, timeoutMs }: Limits) {
  let timedOut = false;
  let callOff = () => {};
  const end = () => {
    callOff();
    callOff = endGroups([child]);
  };
  const expire = () => {
    timedOut = true;
    end();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  return {
    timedOut: () => timedOut,
    lift: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      callOff();
    },
  };
}

function overLimit(cause: StageResult, reason: string): BackupError {
  return new BackupError('ProgramFailed', `cannot run ${basename(cause.file)}: because ${reason}`, { cause });
}

/** A program that never ran (no memory, no process left) has no stderr of its own. */
function startable(ended: StageResult, why: string | undefined): StageResult {
  return ended.exitCode === null && ended.signal === null && why !== undefined ? { ...ended, stderr: why } : ended;
}
