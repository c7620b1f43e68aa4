import type { Destination } from '../destinations/destination.js';
import { isInRun, isNamedAfter } from '../domain/names.js';
import type { Target } from '../domain/target.js';

/** A run ends within a day, and only one at a time has a target: nobody goes on with anything older. */
const OLDER_THAN_MS = 24 * 60 * 60 * 1000;

export interface SweepAttemptsInput {
  destination: Destination;
  target: Target;
  log: (line: string) => void;
}

/** Of each directory the run in which it was swept last. */
const sweptIn = new WeakMap<Destination, string>();

/** Drops what dead attempts at any target left in the directory, once in a run: it looks at every file there. */
export async function sweepOnce({ destination, run, log }: Omit<SweepAttemptsInput, 'target'> & { run: string }) {
  if (sweptIn.get(destination) === run) return;
  sweptIn.set(destination, run);
  await sweep({ destination, isOurs: isInRun, log, whose: '' });
}

/** Drops what dead attempts at a target left in a destination: they cost space. No backup fails because it could not. */
export async function sweepAttempts({ destination, target, log }: SweepAttemptsInput): Promise<void> {
  const { name, kind } = target;
  await sweep({ destination, isOurs: (path) => isNamedAfter(path, { target: name, kind }), log, whose: `${name}: ` });
}

interface Sweep extends Omit<SweepAttemptsInput, 'target'> {
  isOurs: (path: string) => boolean;
  /** What lines of the log begin with. */
  whose: string;
}

async function sweep({ destination, isOurs, log, whose }: Sweep): Promise<void> {
  try {
    const count = await destination.sweepPuts({ isOurs, olderThanMs: OLDER_THAN_MS, now: new Date() });
    if (count > 0) log(`${whose}dropped ${String(count)} that dead attempts left in ${destination.location}`);
  } catch (error) {
    log(`${whose}${error instanceof Error ? error.message : String(error)}`);
  }
}
