import {
  ActivityCancellationType,
  ApplicationFailure,
  proxyActivities,
  proxyLocalActivities,
  type ActivityFunctionWithOptions,
  type ActivityInterfaceFor,
} from '@temporalio/workflow';
import type { HostActivities } from '../activities/host.js';
import type { OrchestratorActivities } from '../activities/orchestrator.js';
import { ORCHESTRATOR_HEARTBEAT_TIMEOUT_MS, hostQueue } from '../domain/task-queues.js';
import type { RunSettings } from '../domain/run.js';
import { isUnpolled, isWorkerShutdown } from './failures.js';

// Without it a cancelled activity is forgotten while it still runs, and the next attempt meets it.
const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;

// Without it a worker that dies during a short step holds the run up for that step's whole time-out.
const heartbeatTimeout = ORCHESTRATOR_HEARTBEAT_TIMEOUT_MS;

/** What the Web UI shows of each step: `plan`, `report`, … */
const SUMMARIES: Summaries = {
  planRun: () => 'plan',
  planVerification: () => 'plan',
  reportRun: () => 'report',
  isQueuePolled: ({ taskQueue }) => `ask whether a worker polls ${taskQueue}`,
  findChildHolder: ({ childWorkflowId }) => `ask who holds ${childWorkflowId}`,
  awaitChild: ({ childWorkflowId }) => `wait for ${childWorkflowId}`,
  awaitPart: ({ childWorkflowId }) => `wait for ${childWorkflowId}`,
};

type LocalSteps = 'hasSearchAttributes';
type Steps = Omit<OrchestratorActivities, LocalSteps>;
type Summaries = { [Name in keyof Steps]: (input: Parameters<Steps[Name]>[0]) => string };

/** Short steps on the orchestrator's own queue: plan, report, questions to Temporal. */
export const orchestrator = summarized(
  proxyActivities<Steps>({
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout,
    retry: { initialInterval: '2 seconds', maximumInterval: '30 seconds', maximumAttempts: 5 },
    cancellationType,
  }),
);

/** Waits as long as the other workflow runs, so it may be tried for ever. */
export const childWaiter = summarized(
  proxyActivities<Steps>({
    startToCloseTimeout: '1 day',
    heartbeatTimeout,
    retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
    cancellationType,
  }),
);

function summarized(proxy: ActivityInterfaceFor<Steps>): Steps {
  const entries = Object.entries(SUMMARIES as Record<string, (input: unknown) => string>).map(([name, summaryOf]) => {
    const activity = proxy[name as keyof Steps] as ActivityFunctionWithOptions<(input: unknown) => Promise<unknown>>;
    return [name, (input: unknown) => activity.executeWithOptions({ summary: summaryOf(input) }, [input])];
  });
  return Object.fromEntries(entries) as Steps;
}

/** In the workflow task itself, so that its answer and what is decided by it are accepted together, or both asked for anew. */
export const inWorkflowTask = proxyLocalActivities<Pick<OrchestratorActivities, LocalSteps>>({
  scheduleToCloseTimeout: '5 seconds', // less than a workflow task may take
  retry: { maximumAttempts: 1 },
  summary: 'look for search attributes',
});

export interface HostStep {
  host: string;
  settings: Pick<RunSettings, 'attempts' | 'retryDelayMs' | 'heartbeatTimeoutMs' | 'unpolledTimeoutMs'>;
  timeoutMs: number;
  /** How long it may wait for a slot before that counts; the activity itself ends what takes longer than `timeoutMs`. Default: 0. */
  waitMs?: number;
  /** What the Web UI shows: `dump mordor`. */
  summary: string;
}

export function captures(step: HostStep) {
  return proxyActivities<Pick<HostActivities, 'captureTarget'>>({
    ...hostOptions(step),
    retry: captureRetry(step),
  });
}

function captureRetry({ settings: { retryDelayMs, attempts } }: HostStep) {
  return {
    initialInterval: retryDelayMs,
    backoffCoefficient: 2,
    maximumInterval: Math.max(retryDelayMs, 5 * 60_000),
    maximumAttempts: attempts,
  };
}

/** Tried until the activity itself says that no byte was accepted for `copy_retry_for`. */
export function copies(step: HostStep) {
  return proxyActivities<Pick<HostActivities, 'copyArtifact'>>({
    ...hostOptions(step),
    retry: {
      initialInterval: Math.min(step.settings.retryDelayMs, 5_000),
      backoffCoefficient: 2,
      maximumInterval: Math.max(step.settings.retryDelayMs, 2 * 60_000),
    },
  });
}

/** As often as a capture: what fails here says nothing of the artifact. */
export function verifications(step: HostStep) {
  return proxyActivities<Pick<HostActivities, 'verifyTarget'>>({ ...hostOptions(step), retry: captureRetry(step) });
}

/** As often as a capture: an attempt begins by removing what the one before left. */
export function restores(step: HostStep) {
  return proxyActivities<Pick<HostActivities, 'planRestore' | 'restoreTarget'>>({
    ...hostOptions(step),
    retry: captureRetry(step),
  });
}

/** What is done on a host when its targets are. */
export function closingSteps(step: HostStep) {
  return proxyActivities<Pick<HostActivities, 'pruneDestination' | 'recordRun'>>({
    ...hostOptions(step),
    retry: { initialInterval: '2 seconds', maximumInterval: '30 seconds', maximumAttempts: 5 },
  });
}

function hostOptions({ host, settings, timeoutMs, waitMs = 0, summary }: HostStep) {
  return {
    taskQueue: hostQueue(host),
    startToCloseTimeout: timeoutMs + waitMs,
    scheduleToStartTimeout: settings.unpolledTimeoutMs,
    heartbeatTimeout: settings.heartbeatTimeoutMs,
    cancellationType,
    summary,
  };
}

/**
 * Runs a step of a host. A worker that is told to end hands it back, which counts as no attempt. A step that nobody took for `unpolled_timeout`
 * waits on while some worker polls that queue (it is busy); where none does, it fails by name instead of waiting for ever.
 */
export async function onHost<T>(host: string, step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (isWorkerShutdown(error)) continue;
      if (!isUnpolled(error)) throw error;
      if (!(await orchestrator.isQueuePolled({ taskQueue: hostQueue(host) }))) {
        throw ApplicationFailure.nonRetryable(unpolledText(host), UNPOLLED);
      }
    }
  }
}

/** The failure type of a step that no worker of its host took. */
export const UNPOLLED = 'Unpolled';

export function unpolledText(host: string): string {
  return `no worker polls ${hostQueue(host)}\nHINT: start a worker on that host, or disable its targets`;
}
