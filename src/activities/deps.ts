import type { Client } from '@temporalio/client';
import type { Runtime } from '../runtime.js';
import type { Slots } from './slots.js';

/** What the worker hands to its activities. */
export interface ActivityDeps {
  /** The configuration as it is now: targets and retention count from the next run on. */
  runtime: () => Promise<Runtime>;
  /** What goes on at once in this worker, over all runs. */
  slots: Slots;
  /** Writes lines to the log of a run; never fails. */
  runLog: (runtime: Runtime, run: string) => (line: string) => void;
  /** Writes a line that belongs to no run to the worker's own log. */
  log: (line: string) => void;
}

export interface OrchestratorDeps extends ActivityDeps {
  client: Client;
  service: string;
}
