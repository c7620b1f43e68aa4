import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from './server-process.js';

const WORKER = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));

export interface WorkerOptions {
  env: Record<string, string>;
  logFile: string;
}

/** A worker as `npm start` runs it, in a process of its own. */
export class WorkerProcess {
  readonly logFile: string;
  readonly #server: ServerProcess;

  constructor({ env, logFile }: WorkerOptions) {
    this.logFile = logFile;
    this.#server = new ServerProcess({
      name: 'the worker',
      program: process.execPath,
      args: [WORKER],
      env: { UV_THREADPOOL_SIZE: '16', ...env },
      logFile,
      isReady: async () => (await readFile(logFile, 'utf8')).includes('worker is ready'),
    });
  }

  get pid(): number {
    if (this.#server.pid === undefined) throw new Error('the worker was not started');
    return this.#server.pid;
  }

  /** Rejects, with the end of its log, where it ends instead of becoming ready. */
  start(): Promise<void> {
    return this.#server.start();
  }

  /** SIGKILL to the worker alone, as a crash is: what it started has to end by itself. */
  crash(): void {
    process.kill(this.pid, 'SIGKILL');
  }

  suspend(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** SIGTERM, and waits until it has ended. */
  stop(): Promise<void> {
    return this.#server.terminate('SIGTERM', 60_000);
  }

  /** With everything that it started. */
  kill(): Promise<void> {
    return this.#server.kill();
  }
}
