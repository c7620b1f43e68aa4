import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { childrenOf, halt } from './process-tree.js';
import { ServerProcess, type ProcessEnd } from './server-process.js';

const WORKER = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
/** As `npm start` and the image have them: little room for what is new, since each thread takes it for itself. */
const ARGUMENTS = ['--max-semi-space-size=2', '--heap-growing-percent=15', WORKER];

export interface WorkerOptions {
  env: Record<string, string>;
  logFile: string;
  /** A program with its options that runs the worker as its one child (`strace …`). Default: none. */
  wrapper?: readonly string[];
}

/** A worker as `npm start` runs it, in a process of its own. */
export class WorkerProcess {
  readonly logFile: string;
  readonly #server: ServerProcess;
  readonly #isWrapped: boolean;

  constructor({ env, logFile, wrapper = [] }: WorkerOptions) {
    this.logFile = logFile;
    this.#isWrapped = wrapper.length > 0;
    const [program = process.execPath, ...options] = wrapper;
    this.#server = new ServerProcess({
      name: 'the worker',
      program,
      args: this.#isWrapped ? [...options, process.execPath, ...ARGUMENTS] : ARGUMENTS,
      env: { UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2', ...env },
      logFile,
      isReady: async () => (await readFile(logFile, 'utf8')).includes('worker is ready'),
    });
  }

  get pid(): number {
    const { pid } = this.#server;
    if (pid === undefined) throw new Error('the worker was not started');
    const own = this.#isWrapped ? childrenOf(pid)[0] : pid;
    if (own === undefined) throw new Error('the worker has ended');
    return own;
  }

  /** How it ended, once it has. */
  get ended(): Promise<ProcessEnd> {
    return this.#server.ended;
  }

  /** Rejects, with the end of its log, where it ends instead of becoming ready. */
  start(): Promise<void> {
    return this.#server.start();
  }

  /** SIGKILL to the worker alone, as a crash is: what it started has to end by itself. */
  crash(): void {
    process.kill(this.pid, 'SIGKILL');
  }

  /** Its children go on. */
  suspend(): Promise<void> {
    return halt(this.pid);
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** SIGTERM, and waits until it has ended: with code 0, or it was killed after a minute. */
  async stop(): Promise<ProcessEnd> {
    if (this.#isWrapped) process.kill(this.pid, 'SIGTERM');
    else await this.#server.terminate('SIGTERM', 60_000);
    return this.ended;
  }

  /** With everything that it started. */
  kill(): Promise<void> {
    return this.#server.kill();
  }
}
