/** Workflows and what one orchestrator does for all hosts. */
export const ORCHESTRATOR_QUEUE = 'backup';

/** After how long without a sign of life a step of the orchestrator is given to another worker. */
export const ORCHESTRATOR_HEARTBEAT_TIMEOUT_MS = 20_000;

/** Where the workers of a host wait for its captures, copies and prunes. */
export function hostQueue(host: string): string {
  return `${ORCHESTRATOR_QUEUE}-${host}`;
}

/** Failure type of an activity whose worker was told to end: it goes on elsewhere and counts as no attempt. */
export const WORKER_SHUTDOWN = 'WorkerShutdown';
/** … whose worker died, as its successor found out: an attempt like any. */
export const WORKER_DIED = 'WorkerDied';
/** Temporal's name of the time-out of an activity that no worker took. */
export const UNPOLLED_TIMEOUT = 'SCHEDULE_TO_START';

export interface TargetId {
  service: string;
  kind: string;
  target: string;
}

/** Also the lock of a target across runs: Temporal lets only one workflow of an id run. */
export function targetWorkflowId({ service, kind, target }: TargetId): string {
  return `${service}/${kind}/${target}`;
}

/** Of a part of a large run, by its number in it. */
export function partWorkflowId(runWorkflowId: string, part: number): string {
  return `${runWorkflowId}/part-${part}`;
}

export function isPartOf(runWorkflowId: string, workflowId: string): boolean {
  return workflowId.startsWith(`${runWorkflowId}/part-`);
}

/** Of the workflow that verifies a target. */
export function verifyTargetWorkflowId({ service, kind, target }: TargetId): string {
  return `${service}/verify/${kind}/${target}`;
}

/** Of the workflow that restores a target: one at a time. */
export function restoreTargetWorkflowId({ service, target }: Pick<TargetId, 'service' | 'target'>): string {
  return `${service}/restore/${target}`;
}

export function runWorkflowIdPrefix(service: string): string {
  return `${service}/run`;
}

export function verifyWorkflowIdPrefix(service: string): string {
  return `${service}/verify-run`;
}
