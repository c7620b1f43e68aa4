import type { DestinationKind, Target, TargetKind } from './target.js';
import type { RunOutcome, TargetResult } from './outcome.js';

/** Times and numbers of a run, from `backup_config`; the plan fixes them for the whole run. */
export interface RunSettings {
  maxParallel: number;
  attempts: number;
  retryDelayMs: number;
  heartbeatTimeoutMs: number;
  stallTimeoutMs: number;
  unpolledTimeoutMs: number;
  copyRetryForMs: number;
  deadlineMs: number;
}

export interface BackupRunInput {
  /** Names; absent or empty: all enabled targets. */
  targets?: string[];
  trigger: 'schedule' | 'manual';
  /** The cron expression that started it: the deadline follows from its gaps. */
  cron?: string;
}

/** A target that the plan could not resolve: it fails by itself. */
export interface RefusedTarget {
  target: string;
  kind: TargetKind;
  /** Absent where the entry does not say, or cannot. */
  host?: string;
  error: string;
}

export interface RunPlan {
  run: string;
  service: string;
  settings: RunSettings;
  targets: Target[];
  refused: RefusedTarget[];
  /** In the order in which they are filled; `local` first. */
  destinations: DestinationKind[];
  /** Directory ids by host, as the schedule's memo knows them; a capture refuses another directory. */
  directoryIds: Record<string, string>;
  /** Whether the run's id and record are in the directory; false where the directory is not the one expected. */
  reserved: boolean;
  /** Whether the namespace has the search attributes; absent in plans of 0.1, whose histories have none. */
  searchAttributes?: boolean;
  /** How many targets a part holds at most. Absent: the run has no parts, each target is a child of its own. */
  partSize?: number;
  warnings: string[];
}

/** `run.json`: the record of a run, failed targets included. */
export interface RunRecord {
  run: string;
  service: string;
  /** Of the directory that the record lies in; of a bucket's copy that of the orchestrator's. */
  directoryId: string;
  /** All that the run knew or learnt, by host. */
  directoryIds?: Record<string, string>;
  workflowId: string;
  trigger: BackupRunInput['trigger'];
  startedAt: string;
  /** Absent while it runs. */
  finishedAt?: string;
  outcome: RunOutcome | 'running';
  targets: TargetResult[];
  warnings: string[];
}

/** What `run --json` prints and `BackupRun` returns, or fails with as details. */
export interface RunReport {
  run: string;
  workflowId: string;
  outcome: RunOutcome;
  targets: TargetResult[];
  warnings: string[];
}
