import { readFileSync, readdirSync } from 'node:fs';
import { waitFor } from './wait-for.js';

/** Ends a process and everything that it started, even what left its process group, and waits until all are gone. */
export async function killTree(pid: number): Promise<void> {
  const pids = [pid, ...descendants(pid)];
  for (const each of pids) kill(each);
  await waitFor(`process ${String(pid)} and its children to end`, () => pids.every(hasEnded));
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

/** Ids of the processes that a process started from its first thread and that have not ended. */
export function childrenOf(pid: number): number[] {
  return read(`/proc/${String(pid)}/task/${String(pid)}/children`)
    .split(' ')
    .filter(Boolean)
    .map(Number);
}

export interface SeenProcess {
  pid: number;
  /** Its program's name, at most 15 characters: `pg_dump`. */
  name: string;
  hasEnded: () => boolean;
}

/** Everything that a process started, directly or not, and that runs now. */
export function processesUnder(pid: number): SeenProcess[] {
  return descendants(pid).map((each) => ({
    pid: each,
    name: read(`/proc/${String(each)}/comm`).trim(),
    hasEnded: () => hasEnded(each),
  }));
}

/** Suspends a process, and waits until each of its threads stands still: a signal is only on its way when it was sent. */
export async function halt(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  const threads = `/proc/${String(pid)}/task`;
  await waitFor(`process ${String(pid)} to stand still`, () =>
    readdirSync(threads).every((thread) => stateOf(`${threads}/${thread}`) === 'T'),
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A zombie has ended: what is left of it is only the exit code that nobody has asked for. */
function hasEnded(pid: number): boolean {
  return ['', 'Z'].includes(stateOf(`/proc/${String(pid)}`));
}

/** Of a process or thread; empty where it is gone. */
function stateOf(directory: string): string {
  const [state = ''] = read(`${directory}/stat`).split(') ').at(-1) ?? '';
  return state;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}
