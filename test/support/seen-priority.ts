import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SeenPriority {
  nice: number;
  /** As `ionice -p` says it: `idle`, `best-effort: prio 7`. */
  ionice: string;
}

/** What the kernel has noted of a process. */
export async function priorityOf(pid: number): Promise<SeenPriority> {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')
      .at(-1)
      ?.split(' ') ?? [];
  const { stdout } = await run('ionice', ['-p', String(pid)]);
  return { nice: Number(fields[16]), ionice: stdout.trim() }; // field 19 of all
}

/** The nice value of its session; undefined where this kernel does not weigh sessions. */
export function sessionNice(pid: number): number | undefined {
  const file = `/proc/${String(pid)}/autogroup`;
  if (!existsSync(file)) return undefined;
  return Number(/nice (-?\d+)/.exec(readFileSync(file, 'utf8'))?.[1]);
}
