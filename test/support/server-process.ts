import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { halt, killTree } from './process-tree.js';
import { waitFor } from './wait-for.js';

export interface ServerCommand {
  name: string;
  program: string;
  args: readonly string[];
  /** Added to the environment of the tests. */
  env?: Record<string, string>;
  cwd?: string;
  /** Where stdout and stderr go, appended; its end is quoted when the server does not come up. */
  logFile: string;
  /** Options for `setpriv`, which starts the program: another user, capabilities. */
  setpriv?: readonly string[];
  /** Throws or returns false until the server answers. */
  isReady: () => Promise<boolean>;
  /** Default: 120000. */
  readyTimeoutMs?: number;
}

export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A server that tests start, kill and start again with the same command. It dies with the process that started it. */
export class ServerProcess {
  #child: ChildProcess | undefined;

  constructor(private readonly command: ServerCommand) {}

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How it ended, once it has. */
  get ended(): Promise<ProcessEnd> {
    const child = this.#child;
    if (child === undefined) return Promise.reject(new Error(`${this.command.name} was not started`));
    const endOf = ({ exitCode: code, signalCode: signal }: ChildProcess) => ({ code, signal });
    return hasEnded(child) ? Promise.resolve(endOf(child)) : once(child, 'exit').then(() => endOf(child));
  }

  /** Starts it and waits until it answers. */
  async start(): Promise<void> {
    const { name, program, args, env, cwd, logFile, setpriv = [], isReady, readyTimeoutMs = 120_000 } = this.command;
    const log = openSync(logFile, 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...setpriv, program, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true, // a group of its own, so that Ctrl-C reaches the tests alone and they end it in order
    });
    closeSync(log);
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', reject);
    });
    failed.catch(() => undefined);
    this.#child = child;
    await Promise.race([
      waitFor(`${name} to answer`, () => this.#answersOrDied(isReady), { timeoutMs: readyTimeoutMs }),
      failed,
    ]).catch(async (error: unknown) => {
      await this.kill();
      throw new Error(`cannot start ${name}: ${String(error)}\n${logTail(logFile)}`, { cause: error });
    });
    if (hasEnded(child)) throw new Error(`cannot start ${name}: because it ended at once\n${logTail(logFile)}`);
  }

  /** SIGKILL to it and its children, and waits until all are gone. Nothing to do where it has ended. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || hasEnded(child)) return;
    await Promise.all([once(child, 'exit'), killTree(child.pid)]);
  }

  /** Suspends it. */
  async halt(): Promise<void> {
    if (this.pid === undefined) throw new Error(`${this.command.name} was not started`);
    await halt(this.pid);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined) throw new Error(`${this.command.name} was not started`);
    process.kill(this.pid, signal);
  }

  /** Asks it to end; after `graceMs` (default 20000) it is killed. */
  async terminate(signal: NodeJS.Signals = 'SIGTERM', graceMs = 20_000): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    const timer = setTimeout(() => void this.kill(), graceMs);
    child.kill(signal);
    await ended;
    clearTimeout(timer);
  }

  async #answersOrDied(isReady: () => Promise<boolean>): Promise<boolean> {
    const child = this.#child;
    return child === undefined || hasEnded(child) || (await isReady());
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function logTail(logFile: string): string {
  return readFileSync(logFile, 'utf8').split('\n').slice(-30).join('\n');
}
