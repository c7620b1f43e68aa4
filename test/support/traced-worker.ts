import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from './deployment.js';
import { startWatchedWorker } from './watched-run.js';
import type { WorkerProcess } from './worker-process.js';

/** The calls that change names or make them durable. */
const CALLS = ['link', 'linkat', 'unlink', 'unlinkat', 'rename', 'renameat', 'renameat2', 'fsync', 'fdatasync'];

/** One such call in the life of a worker, found in another worker's trace that does the same. */
export interface DiskStep {
  call: string;
  /** The how manieth of its kind, from 1. */
  occurrence: number;
  /** What it does, for people and for comparison: `link data_RUN.tar.gz.TOKEN.part data_RUN.tar.gz`. */
  text: string;
}

export interface TracedWorker {
  worker: WorkerProcess;
  /** What it did within the backup directory so far, in order. The last call may not have been executed. */
  steps: () => Promise<DiskStep[]>;
  /** Resolves once the signal of `interruption` has stopped it. */
  isStopped: () => Promise<boolean>;
}

export interface TraceOptions {
  /** Sends a signal as the worker enters this step: SIGKILL keeps it from being executed, SIGSTOP comes after it. */
  interruption?: { step: DiskStep; signal: 'SIGKILL' | 'SIGSTOP' };
  env?: Record<string, string>;
}

/**
 * Starts a worker under strace, with one thread for files so that its calls have one order. It keeps no records of its attempts: these
 * are removed whenever there is time, and every such call would count.
 */
export async function startTracedWorker(deployment: Deployment, options: TraceOptions = {}): Promise<TracedWorker> {
  const trace = join(deployment.directory, `trace-${String(Date.now())}.txt`);
  const { interruption, env } = options;
  const inject = interruption === undefined ? [] : ['-e', injection(interruption)];
  const wrapper = ['strace', '-f', '-qq', '-y', '-e', `trace=${CALLS.join()}`, ...inject, '-o', trace];
  const records = join(deployment.backupDir, '.workers');
  await writeFile(records, ''); // a file where the directory would be
  const worker = await startWatchedWorker(deployment, { UV_THREADPOOL_SIZE: '1', ...env }, { wrapper });
  await rm(records);
  return {
    worker,
    steps: async () => stepsIn(await readFile(trace, 'utf8'), deployment.backupDir),
    isStopped: async () => (await readFile(trace, 'utf8')).includes('--- stopped by SIGSTOP ---'),
  };
}

function injection({ step, signal }: NonNullable<TraceOptions['interruption']>): string {
  return `inject=${step.call}:signal=${signal}:when=${String(step.occurrence)}`;
}

/** The steps of the worker itself: a program that it starts may sync its part as well, and would be the one that is killed there. */
function stepsIn(trace: string, backupDir: string): DiskStep[] {
  const seen = new Map<string, number>();
  const steps: DiskStep[] = [];
  let own: string | undefined; // the worker's thread for files: the first that comes here
  for (const [, thread = '', call = '', args = ''] of trace.matchAll(/^(\d+) +(\w+)\((.*)$/gm)) {
    const key = `${thread} ${call}`; // as strace counts
    const occurrence = (seen.get(key) ?? 0) + 1;
    seen.set(key, occurrence);
    const paths = [...args.matchAll(/["<](\/[^">]+)[">]/g)].map(([, path = '']) => path);
    const isMeant = paths.length > 0 && paths.every((path) => path.startsWith(backupDir));
    if (isMeant && thread === (own ??= thread)) steps.push({ call, occurrence, text: textOf(call, paths) });
  }
  return steps;
}

function textOf(call: string, paths: readonly string[]): string {
  const plain = (path: string) =>
    (path.split('/').at(-1) ?? '').replaceAll(/\d{8}_\d{6}/g, 'RUN').replace(/\.[0-9a-f]{12}\./, '.TOKEN.');
  return [call, ...paths.map(plain)].join(' ');
}
