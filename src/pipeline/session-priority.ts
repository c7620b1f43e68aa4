import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 20;
/** An unprivileged process may do this ten times a second, with all others on the machine. */
const RETRY_MS = 150;

/**
 * Where Linux weighs sessions against each other (`sched_autogroup_enabled`, as most distributions have it), nice values count only within
 * one; a child that leads its own has to have it lowered as a whole. Where it does not, there is nothing to do.
 */
export async function lowerSession(leader: ChildProcess, nice: number): Promise<void> {
  for (let left = TRIES; left > 0 && leader.exitCode === null && leader.signalCode === null; left--) {
    try {
      return await writeFile(`/proc/${String(leader.pid)}/autogroup`, String(nice));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
    await sleep(RETRY_MS, undefined, { ref: false });
  }
}
