import type { RestoredTarget, RestorePlan, RestoreRequest } from './restore-plan.js';
import type { RunSettings } from './run.js';

/** What `backupctl restore --on-host` starts. It holds no secret. */
export interface RestoreTargetInput {
  service: string;
  /** Whose worker does it, with the connection or volume of its own file. */
  host: string;
  /** Names this restore in each of its attempts: 8 hexadecimal digits. */
  restoreToken: string;
  request: RestoreRequest;
  /** Ends with the plan. */
  planOnly: boolean;
  settings: Pick<
    RunSettings,
    'attempts' | 'retryDelayMs' | 'heartbeatTimeoutMs' | 'unpolledTimeoutMs' | 'stallTimeoutMs'
  >;
  /** The longest one attempt may take. */
  timeoutMs: number;
}

/** Of the activities that plan and restore. */
export interface RestoreStepInput {
  service: string;
  restoreToken: string;
  /** RFC 3339: when the restore began. */
  startedAt: string;
  request: RestoreRequest;
  stallTimeoutMs: number;
}

export interface RestoreReport {
  plan: RestorePlan;
  /** Absent where the plan was all that was asked for. */
  restored?: RestoredTarget;
  durationMs: number;
}

/** Query of `RestoreTarget`: its plan, or undefined until that is made. */
export const RESTORE_PLAN_QUERY = 'restorePlan';
