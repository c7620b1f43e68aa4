import type { Destination } from '../destinations/destination.js';
import { isNamedAfter } from '../domain/names.js';
import type { Target } from '../domain/target.js';

/** A run ends within a day, and only one at a time has a target: nobody goes on with anything older. */
const OLDER_THAN_MS = 24 * 60 * 60 * 1000;

export interface SweepAttemptsInput {
  destination: Destination;
  target: Target;
  log: (line: string) => void;
}

/** Drops what dead attempts at a target left in a destination: they cost space. No backup fails because it could not. */
export async function sweepAttempts({ destination, target, log }: SweepAttemptsInput): Promise<void> {
  const { name, kind } = target;
  const isOurs = (path: string) => isNamedAfter(path, { target: name, kind });
  try {
    const count = await destination.sweepPuts({ isOurs, olderThanMs: OLDER_THAN_MS, now: new Date() });
    if (count > 0) log(`${name}: dropped ${String(count)} that dead attempts left in ${destination.location}`);
  } catch (error) {
    log(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
