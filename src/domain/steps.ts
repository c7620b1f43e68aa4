import type { BackupRunInput, RunPlan, RunReport, RunSettings } from './run.js';
import type { DestinationKind, Source, Target, TargetKind } from './target.js';
import type { TargetResult } from './outcome.js';
import type { Retention } from './retention-rules.js';

/** Inputs and results of the activities: what travels through workflow histories. None of them holds a secret. */

export interface PlanRunInput extends BackupRunInput {
  workflowId: string;
  /** RFC 3339; the run's id is this moment in the configured zone. */
  startedAt: string;
}

export interface CaptureTargetInput {
  service: string;
  run: string;
  target: Target;
  /** What the schedule's memo knows of this host's directory; absent: nobody knows it yet. */
  directoryId?: string;
  stallTimeoutMs: number;
}

export interface CapturedArtifact {
  artifact: string;
  sizeBytes: number;
  sha256: string;
  source: Source;
  warnings: string[];
  /** Of the directory that it lies in. */
  directoryId?: string;
}

export interface CopyArtifactInput {
  service: string;
  run: string;
  target: Target;
  source: Source;
  /** The artifact of this run. */
  artifact: string;
  destination: Exclude<DestinationKind, 'local'>;
  stallTimeoutMs: number;
  /** The copy is given up when no byte was accepted for this long, over all its attempts. */
  retryForMs: number;
  /** RFC 3339: when the run's deadline passes. */
  deadlineAt: string;
}

export interface CopyResult {
  /** This run's artifact and late ones. */
  broughtCount: number;
}

/** What a run brought of one target; the prune may thin no other. */
export interface BroughtTarget extends Retention {
  target: string;
  kind: TargetKind;
  source: Source;
  host: string;
  brought: Partial<Record<DestinationKind, number>>;
}

export interface PruneDestinationInput {
  service: string;
  run: string;
  destination: DestinationKind;
  targets: BroughtTarget[];
}

export interface PruneResult {
  removedCount: number;
  warnings: string[];
}

/** What is recorded of a run, in the directory of each host that took part and in every other destination. */
export interface ReportRunInput {
  plan: Pick<RunPlan, 'run' | 'service' | 'destinations' | 'reserved'>;
  /** By host. */
  directoryIds?: Record<string, string>;
  startedAt: string;
  /** RFC 3339; absent: the moment at which it is recorded. */
  finishedAt?: string;
  trigger: BackupRunInput['trigger'];
  report: RunReport;
}

export interface ChildHolderInput {
  childWorkflowId: string;
}

/** Who holds the lock of a target: the run whose child is running. */
export interface ChildHolder {
  parentWorkflowId: string;
  run: string;
}

export interface BackupTargetInput {
  service: string;
  run: string;
  target: Target;
  destinations: DestinationKind[];
  directoryId?: string;
  settings: RunSettings;
  /** RFC 3339: when the run's deadline passes. */
  deadlineAt: string;
  /** As in the plan. */
  searchAttributes?: boolean;
}

/** What `BackupTarget` returns, and fails with as details. */
export interface BackupTargetResult {
  result: TargetResult;
  /** Absent where nothing was captured. */
  brought?: BroughtTarget;
  /** Of its host's directory, where something was captured. */
  directoryId?: string;
  /** Whether no worker of its host took it. */
  isUnpolled?: true;
}

/** Some targets of a large run, one after the other. */
export interface BackupPartInput extends Omit<BackupTargetInput, 'target'> {
  targets: Target[];
  /** Of all of them. */
  host: string;
  /** Whether a target of that host has waited for a worker in vain. */
  isUnpolled: boolean;
}

export interface BackupPartResult {
  /** In the order of its targets. */
  settled: BackupTargetResult[];
  /** As it was at the end. */
  isUnpolled: boolean;
}

/** Where a target stands in a running run. */
export type TargetPhase = 'waiting' | 'capturing' | 'copying' | 'verifying' | 'done';

export interface RunProgress {
  /** Absent until the plan is made. */
  run?: string;
  targets: { target: string; kind: TargetKind; phase: TargetPhase; result?: TargetResult }[];
  /** Present when everything is over. */
  report?: RunReport;
}

/** Queries of `BackupRun` and `BackupTarget`. */
export const RUN_PROGRESS_QUERY = 'runProgress';
export const TARGET_PHASE_QUERY = 'targetPhase';
