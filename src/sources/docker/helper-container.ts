import { setTimeout as sleep } from 'node:timers/promises';
import { BackupError } from '../../domain/errors.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { docker, engineReason, isBeingRemoved, isMissing } from './docker.js';
import { createArguments, type HelperContainer } from './helper-options.js';

export interface HelperRun {
  /** For errors, after "cannot": `capture postgres-data`. */
  what: string;
  /** Kills and removes the container; the promise settles after that. */
  signal: AbortSignal;
  /** Called while the container exists and has not started. */
  onCreated?: () => Promise<void>;
  /** Called once it runs; what it returns is called when it has ended. */
  onStarted?: (id: string) => () => void;
}

export interface HelperEnd {
  exitCode: number;
  outOfMemory: boolean;
  /** The last lines of the container's stdout and of its stderr; the very end may be missing. */
  lastOutput: string;
  lastWords: string;
}

interface InspectedState {
  ExitCode: number;
  OOMKilled: boolean;
}

/** The exit code of a container whose script was killed. */
const KILLED = 137;
const LAST_LINES = 20;
const REMOVAL_TIMEOUT_MS = 60_000;
const REMOVAL_POLL_MS = 200;

/**
 * Runs a helper container to its end. It does not depend on the client: where this process is killed it runs on, and the
 * next attempt finds it by its labels. Else it is removed on every path.
 */
export async function runHelper(container: HelperContainer, run: HelperRun): Promise<HelperEnd> {
  // Not ended by the signal: a client that is killed in `create` leaves it open whether there is a container.
  const id = (await prepare(run.what, createArguments(container))).trim();
  let end: HelperEnd;
  try {
    end = await startAndWait(id, run);
  } catch (error) {
    // What went wrong before is what counts; a container that could not be removed now is found by the next attempt.
    await removeContainer(id).catch(() => undefined);
    throw error;
  }
  await removeContainer(id);
  return end;
}

async function startAndWait(id: string, { what, signal, onCreated, onStarted }: HelperRun): Promise<HelperEnd> {
  await onCreated?.();
  throwIfAborted(signal);
  await prepare(what, ['start', id]);
  const stop = onStarted?.(id);
  try {
    await docker({ args: ['wait', id], signal, timeLimit: 'none' });
    const end = await endOf(id);
    if (end.exitCode === KILLED && !end.outOfMemory) throw endedFromOutside(what);
    return end;
  } catch (error) {
    throw isMissing(error) || isBeingRemoved(error) ? endedFromOutside(what) : error;
  } finally {
    stop?.();
  }
}

function endedFromOutside(what: string): BackupError {
  return new BackupError('Failed', `cannot ${what}: because its helper container was ended from outside`, {
    hint: 'another attempt at this target ends those before it, and so does a stop of the Docker engine',
  });
}

async function endOf(id: string): Promise<HelperEnd> {
  const [output, { stdout }] = await Promise.all([
    helperOutput(id),
    docker({ args: ['container', 'inspect', '--format', '{{json .State}}', id] }),
  ]);
  const { ExitCode: exitCode, OOMKilled: outOfMemory } = JSON.parse(stdout) as InspectedState;
  return { exitCode, outOfMemory, lastOutput: output.stdout, lastWords: output.stderr };
}

/** Brings the container to run; what the engine refuses is most often the image or the place of a file. */
async function prepare(what: string, args: readonly string[]): Promise<string> {
  try {
    return (await docker({ args })).stdout;
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ProgramFailed') throw error;
    const message = `cannot ${what}: because the engine could not start the helper container: ${engineReason(error)}`;
    throw new BackupError('ProgramFailed', message, {
      hint: 'the engine must run on this host and see its files, and a helper_image must have bash, GNU tar and the compressor',
      cause: error,
    });
  }
}

/** The last lines of the container's stdout and stderr. */
export async function helperOutput(id: string): Promise<{ stdout: string; stderr: string }> {
  const { stdout, stderr } = await docker({ args: ['logs', '--tail', String(LAST_LINES), id] });
  return { stdout: stdout.trim(), stderr: stderr.trim() };
}

/** Ends the container, and removes it with the anonymous volumes that its image made. Nothing to do where it is gone. */
export async function removeContainer(id: string): Promise<void> {
  const deadline = Date.now() + REMOVAL_TIMEOUT_MS;
  for (;;) {
    try {
      await docker({ args: ['rm', '--force', '--volumes', id] });
      return;
    } catch (error) {
      if (isMissing(error)) return;
      // Another client removes it at this moment, or the engine could not release it yet.
      if (Date.now() > deadline || !(error instanceof BackupError) || error.code !== 'ProgramFailed') throw error;
    }
    await sleep(REMOVAL_POLL_MS);
  }
}
