import { readFileSync } from 'node:fs';
import { waitFor } from './wait-for.js';

/** Ends a process and everything that it started, even what left its process group, and waits until all are gone. */
export async function killTree(pid: number): Promise<void> {
  const pids = [pid, ...descendants(pid)];
  for (const each of pids) kill(each);
  await waitFor(`process ${String(pid)} and its children to end`, () => pids.every(hasEnded));
}

function descendants(pid: number): number[] {
  const children = read(`/proc/${String(pid)}/task/${String(pid)}/children`)
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
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
  const afterName =
    read(`/proc/${String(pid)}/stat`)
      .split(') ')
      .at(-1) ?? '';
  return afterName === '' || afterName.startsWith('Z');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}
