import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { createHostActivities } from '../activities/host.js';
import { createOrchestratorActivities } from '../activities/orchestrator.js';
import { BackupError } from '../domain/errors.js';
import { ORCHESTRATOR_QUEUE, hostQueue } from '../domain/task-queues.js';
import type { Attempts } from '../metrics/attempts.js';
import { DATA_CONVERTER } from '../temporal/data-converter.js';
import { workerIdentity } from '../temporal/worker-identity.js';
import type { OwnAttempts } from './own-attempts.js';
import type { Service } from './service.js';

/** Where `npm run build` leaves the workflows: beside the worker. */
const BUNDLE = new URL('./workflow-bundle.js', import.meta.url);
/** How often at most the server hears of a step that moves; and this part of `heartbeat_timeout`, so that a slow machine loses none. */
const HEARTBEAT_MS = 5_000;
const HEARTBEATS_IN_TIMEOUT = 6;
/** What a worker that is told to end gives its activities before it hands them back, and then before it leaves. */
const GRACE_MS = 5_000;
const FORCE_MS = 30_000;
/** Of these most wait: how many go on at once is for `capture_slots` and the like to say. Runs of 50 at a time, some at once. */
const HOST_SLOTS = 200;
const ORCHESTRATOR_SLOTS = 20;
/** A worker that hangs takes what comes to its open polls, until each of these tasks times out: few polls, few tasks. */
const ACTIVITY_POLLS = { type: 'simple-maximum', maximum: 1 } as const;
/** The least: one for workflows that it knows, one for others. */
const WORKFLOW_POLLS = { type: 'simple-maximum', maximum: 2 } as const;
/** How long a workflow waits for the worker that knows it before any other may go on with it: a dead one never comes. */
const STICKY_MS = 3_000;

export interface CreateWorkersInput {
  connection: NativeConnection;
  client: Client;
  service: Service;
  heartbeatTimeoutMs: number;
  attempts: Attempts;
  ownAttempts: OwnAttempts;
}

/** A Worker for what this host captures and copies and, of the orchestrator, one for workflows and short questions. */
export async function createWorkers(input: CreateWorkersInput): Promise<Worker[]> {
  const { connection, client, service, heartbeatTimeoutMs, attempts, ownAttempts } = input;
  const heartbeatMs = Math.min(HEARTBEAT_MS, heartbeatTimeoutMs / HEARTBEATS_IN_TIMEOUT);
  const common = {
    connection,
    namespace: client.options.namespace,
    dataConverter: DATA_CONVERTER,
    identity: workerIdentity({
      host: service.host,
      hostname: hostname(),
      pid: process.pid,
      directoryId: service.directoryId,
    }),
    shutdownGraceTime: GRACE_MS,
    shutdownForceTime: FORCE_MS,
    maxHeartbeatThrottleInterval: heartbeatMs,
    defaultHeartbeatThrottleInterval: heartbeatMs,
    activityTaskPollerBehavior: ACTIVITY_POLLS,
    interceptors: { activity: [ownAttempts.recording] },
  };
  const host = await Worker.create({
    ...common,
    taskQueue: hostQueue(service.host),
    activities: attempts.counting(createHostActivities(service.deps)),
    maxConcurrentActivityTaskExecutions: HOST_SLOTS,
  });
  if (service.orchestrates === undefined) return [host];
  const orchestrator = await Worker.create({
    ...common,
    taskQueue: ORCHESTRATOR_QUEUE,
    workflowBundle: { code: await workflowCode() },
    activities: createOrchestratorActivities({ ...service.deps, client, service: service.orchestrates }),
    maxConcurrentActivityTaskExecutions: ORCHESTRATOR_SLOTS,
    workflowTaskPollerBehavior: WORKFLOW_POLLS,
    stickyQueueScheduleToStartTimeout: STICKY_MS,
  });
  return [orchestrator, host];
}

async function workflowCode(): Promise<string> {
  try {
    return await readFile(BUNDLE, 'utf8');
  } catch (cause) {
    const hint = 'run `npm run build`';
    throw new BackupError('ProgramMissing', `cannot load the workflows: because ${BUNDLE.pathname} is not there`, {
      cause,
      hint,
    });
  }
}
