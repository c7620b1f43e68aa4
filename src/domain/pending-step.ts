import type { AttemptProgress } from './heartbeat.js';

/**
 * `queued`: for a worker to take it; `unpolled`: no worker is there that would; `retrying`: an attempt failed, the next one is not due yet.
 */
export type StepState = 'queued' | 'unpolled' | 'running' | 'retrying' | 'cancelling';

/** A step of a run that is not over, as Temporal knows it. */
export interface PendingStep {
  /** `captureTarget`, `copyArtifact`, …: the activity. */
  activity: string;
  /** Temporal's id of it: a step that is done again has another one. */
  id: string;
  state: StepState;
  taskQueue: string;
  /** The one that is going on, or that comes next. */
  attempt: number;
  /** When this attempt was started; absent where none is under way. */
  startedAt?: Date;
  /** When the next attempt is due. */
  nextAttemptAt?: Date;
  /** Why the last attempt failed, for people. */
  failure?: string;
  progress?: AttemptProgress;
}
