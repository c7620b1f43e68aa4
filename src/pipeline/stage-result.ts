import { basename } from 'node:path';
import { BackupError } from '../domain/errors.js';

/** How one process of a pipeline ended. `exitCode` and `signal` are both null where it could not be started. */
export interface StageResult {
  file: string;
  exitCode: number | null;
  signal: string | null;
  /** Its last 16 KiB. */
  stderr: string;
  /** 0 for the process that ended first. */
  endOrder: number;
}

const MAX_TOLD_LINES = 10;
const MAX_TOLD_CHARACTERS = 2000;

/**
 * Throws a ProgramFailed `cannot <what>: because …` unless every stage ended with 0 or is accepted by `accept`.
 * It names the stage that failed first for a reason of its own: one that could not write any more is a consequence.
 */
export function requireSuccess(
  results: StageResult[],
  what: string,
  accept: (result: StageResult) => boolean = () => false,
): void {
  const failed = results.filter((result) => !succeeded(result) && !accept(result));
  if (failed.length === 0) return;
  const byEnd = failed.sort((one, other) => one.endOrder - other.endOrder);
  const culprit = byEnd.find((result) => !couldNotWrite(result)) ?? byEnd[0];
  if (culprit !== undefined) throw stageFailure(culprit, what);
}

export function stageFailure(result: StageResult, what: string, subject = basename(result.file)): BackupError {
  const told = lastLines(result.stderr);
  const message = `cannot ${what}: because ${subject} ${ending(result)}${told === '' ? '' : `: ${told}`}`;
  const hint = result.signal === 'SIGKILL' ? 'it was killed from outside, most often for lack of memory' : undefined;
  return new BackupError('ProgramFailed', message, { cause: result, ...(hint === undefined ? {} : { hint }) });
}

/** How the program ended that `error` is about, where it is about one. */
export function failedStage(error: unknown): StageResult | undefined {
  if (!(error instanceof BackupError) || error.code !== 'ProgramFailed') return undefined;
  const cause = error.cause;
  return typeof cause === 'object' && cause !== null && 'endOrder' in cause ? (cause as StageResult) : undefined;
}

export function succeeded({ exitCode, signal }: Pick<StageResult, 'exitCode' | 'signal'>): boolean {
  return exitCode === 0 && signal === null;
}

/** The last lines of what a program said, short enough for a message. */
export function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-MAX_TOLD_LINES).join('\n').slice(-MAX_TOLD_CHARACTERS).trim();
}

/** How programs that ignore SIGPIPE say that nobody reads: the system's words, or bgzip's own. */
const UNREAD = /broken pipe|connection reset by peer|could not write \d+ bytes/i;

function couldNotWrite({ signal, exitCode, stderr }: StageResult): boolean {
  const shellsSigpipe = 141;
  return signal === 'SIGPIPE' || exitCode === shellsSigpipe || UNREAD.test(lastLines(stderr));
}

function ending({ exitCode, signal }: StageResult): string {
  if (signal !== null) return `was ended by ${signal}`;
  return exitCode === null ? 'could not be started' : `ended with code ${String(exitCode)}`;
}
