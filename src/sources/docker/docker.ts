import { BackupError } from '../../domain/errors.js';
import { failedStage, lastLines, runProgram } from '../../pipeline/process.js';

export interface DockerCall {
  args: readonly string[];
  /** Ends the client, not what it asked the engine for. */
  signal?: AbortSignal;
  /** In milliseconds. Default: two minutes; `none` for what lasts as long as it lasts (`docker wait`, `docker pull`). */
  timeLimit?: 'none' | number;
}

const CALL_TIMEOUT_MS = 120_000;

/** What the client reads to find its engine; a program is handed nothing else of our environment. */
const CLIENT_VARIABLE = /^(DOCKER_.+|SSH_AUTH_SOCK|XDG_RUNTIME_DIR)$/;

const UNREACHABLE =
  /cannot connect to the docker daemon|failed to connect to the docker api|error during connect|unable to resolve docker endpoint|(connection refused|connection reset by peer|unexpected eof|: eof)$/i;
const ANSWERED = /^(docker: )?error response from daemon/im;
const REFUSED = /permission denied while trying to connect/i;

/**
 * Runs the `docker` program and returns what it wrote. It finds the engine as it does for everybody: by `DOCKER_HOST`, the
 * context or the default socket. Errors: ServerUnreachable where the engine does not answer, ProgramMissing, ProgramFailed.
 */
export async function docker({ args, signal, timeLimit }: DockerCall): Promise<{ stdout: string; stderr: string }> {
  const limits = {
    ...(signal !== undefined && { signal }),
    ...(timeLimit !== 'none' && { timeoutMs: timeLimit ?? CALL_TIMEOUT_MS }),
  };
  try {
    return await runProgram({ file: 'docker', args, env: clientEnvironment(), ...limits });
  } catch (error) {
    throw engineError(error);
  }
}

/** What `docker … inspect --format {{json .}}` says of one object; undefined where the engine has none of that name. */
export async function inspectObject<T>(kind: 'container' | 'image' | 'volume', name: string): Promise<T | undefined> {
  try {
    const { stdout } = await docker({ args: [kind, 'inspect', '--format', '{{json .}}', '--', name] });
    return JSON.parse(stdout) as T;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether the engine said that what was asked for does not exist. */
export function isMissing(error: unknown): boolean {
  return /no such (container|image|volume|object)/i.test(failedStage(error)?.stderr ?? '');
}

/** Whether the engine said that a container is there for the last moments only. */
export function isBeingRemoved(error: unknown): boolean {
  return /dead or marked for removal/i.test(failedStage(error)?.stderr ?? '');
}

/** What the engine said to a call that failed, for use in a sentence. */
export function engineReason(error: unknown): string {
  const said = failedStage(error)?.stderr;
  if (said === undefined) return error instanceof Error ? error.message : String(error);
  return lastLines(said).replace(/^(docker: )?Error response from daemon: /i, '');
}

function clientEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => CLIENT_VARIABLE.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']));
}

function engineError(error: unknown): unknown {
  const said = lastLines(failedStage(error)?.stderr ?? '');
  const message = `cannot reach the Docker engine: because ${said}`;
  if (REFUSED.test(said)) {
    const hint =
      'give the user that runs this access to the socket of the engine, for example by the group docker (`DOCKER_GID` in `.env` of a compose stack)';
    return new BackupError('ServerUnreachable', message, { hint, cause: error, retryable: false });
  }
  // What the engine itself says about others (a registry that refuses a connection) shows that it answers.
  if (ANSWERED.test(said) || !UNREACHABLE.test(said)) return error;
  const hint = 'start the engine (systemctl start docker), or say by DOCKER_HOST where it is';
  return new BackupError('ServerUnreachable', message, { hint, cause: error });
}
