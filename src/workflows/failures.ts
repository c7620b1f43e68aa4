import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow';
import { UNPOLLED_TIMEOUT, WORKER_SHUTDOWN } from '../domain/task-queues.js';

/** The failure inside the wrappers that Temporal puts around it. */
export function rootFailure(error: unknown): unknown {
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  return wrapped && error.cause !== undefined ? rootFailure(error.cause) : error;
}

/** For people: the first line says what could not be done and why; `doing` is what was tried (`dump mordor`). */
export function failureText(error: unknown, doing: string): string {
  const reason = reasonOf(error);
  return reason.startsWith('cannot ') ? reason : `cannot ${doing}: because ${reason}`;
}

function reasonOf(error: unknown): string {
  const root = rootFailure(error);
  if (root instanceof ApplicationFailure && root.type === WORKER_SHUTDOWN) return 'its worker ended';
  if (root instanceof ApplicationFailure) return root.message;
  if (root instanceof TimeoutFailure) return timeoutReason(root);
  if (isCancellation(error) || root instanceof CancelledFailure) return 'it was cancelled';
  return root instanceof Error ? root.message : String(root);
}

function timeoutReason(failure: TimeoutFailure): string {
  switch (failure.timeoutType) {
    case 'HEARTBEAT':
      return 'its worker gave no sign of life';
    case UNPOLLED_TIMEOUT:
      return 'no worker took it';
    default:
      return 'it took longer than its `timeout`';
  }
}

export function isUnpolled(error: unknown): boolean {
  const root = rootFailure(error);
  return root instanceof TimeoutFailure && root.timeoutType === UNPOLLED_TIMEOUT;
}

export function isWorkerShutdown(error: unknown): boolean {
  const root = rootFailure(error);
  return root instanceof ApplicationFailure && root.type === WORKER_SHUTDOWN;
}
