import { randomBytes } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { ApplicationFailure } from '@temporalio/common';
import type { HostActivities } from '../../src/activities/host.js';
import type { OrchestratorActivities } from '../../src/activities/orchestrator.js';
import type { BackupRunInput, RunReport } from '../../src/domain/run.js';
import type { RestoredTarget, RestorePlan } from '../../src/domain/restore-plan.js';
import type { RestoreStepInput } from '../../src/domain/restore-target.js';
import type { CapturedArtifact, CaptureTargetInput } from '../../src/domain/steps.js';
import { ORCHESTRATOR_QUEUE, hostQueue } from '../../src/domain/task-queues.js';
import { DATA_CONVERTER } from '../../src/temporal/data-converter.js';
import type { BackupRun } from '../../src/workflows/backup-run.js';
import { SETTINGS, aPlan, aTarget } from './a-plan.js';
import { createNamespace, type NamespaceOptions } from './temporal-namespace.js';
import './provided.js';

export { SETTINGS, aPlan, aTarget };

/** Workflows of this checkout against activities that a test makes up: for what real parts do not do on demand. */
export interface Stage {
  client: Client;
  connection: NativeConnection;
  namespace: string;
  close: () => Promise<void>;
}

export async function openStage(options: NamespaceOptions = {}): Promise<Stage> {
  const { address } = inject('temporal');
  const namespace = `workflows-${randomBytes(4).toString('hex')}`;
  await createNamespace(address, namespace, options);
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const close = async () => {
    await clientConnection.close();
    await connection.close();
  };
  const client = new Client({ connection: clientConnection, namespace, dataConverter: DATA_CONVERTER });
  return { client, connection, namespace, close };
}

export interface FakeActivities {
  orchestrator?: Partial<OrchestratorActivities>;
  host?: Partial<HostActivities>;
  /** Default: true; without it nobody polls `backup-default`. */
  withHost?: boolean;
  /** Whose queue is polled instead of that of `default`. */
  hostName?: string;
}

/** Runs `work` while workers with made-up activities poll. */
export async function withWorkers<T>(stage: Stage, fakes: FakeActivities, work: () => Promise<T>): Promise<T> {
  const { connection, namespace } = stage;
  const common = {
    connection,
    namespace,
    dataConverter: DATA_CONVERTER,
    shutdownGraceTime: 0,
    shutdownForceTime: 5_000,
    maxHeartbeatThrottleInterval: 100,
  };
  const orchestrator = await Worker.create({
    ...common,
    taskQueue: ORCHESTRATOR_QUEUE,
    workflowBundle: inject('workflowBundle'),
    activities: { ...orchestratorDefaults, ...fakes.orchestrator },
  });
  if (fakes.withHost === false) return orchestrator.runUntil(work);
  const activities = { ...hostDefaults, ...fakes.host };
  const host = await Worker.create({ ...common, taskQueue: hostQueue(fakes.hostName ?? 'default'), activities });
  return orchestrator.runUntil(() => host.runUntil(work));
}

export function anArtifact({ target, run }: CaptureTargetInput): CapturedArtifact {
  const source = { kind: 'database', systemIdentifier: '1', database: target.name } as const;
  return { artifact: `${target.name}_${run}.sql.gz`, sizeBytes: 1, sha256: 'a'.repeat(64), source, warnings: [] };
}

export function aRestorePlan({
  request: { target, run = '20261124_030000', into = target },
}: RestoreStepInput): RestorePlan {
  const what = { target, kind: 'database', run, into } as const;
  const from = { destination: 'local', location: `/backups/${run}/${target}`, sizeBytes: 2048 } as const;
  return { ...what, ...from, capturedAt: '2026-11-24T03:00:00.000Z', warnings: [] };
}

export function aRestored(input: RestoreStepInput): RestoredTarget {
  const { capturedAt: _capturedAt, ...plan } = aRestorePlan(input);
  return { ...plan, sha256: 'a'.repeat(64) };
}

const orchestratorDefaults: OrchestratorActivities = {
  planRun: () => Promise.resolve(aPlan(['mordor'])),
  planVerification: () =>
    Promise.resolve({ service: 'middle-earth', settings: SETTINGS, targets: [], searchAttributes: false }),
  reportRun: () => Promise.resolve([]),
  isQueuePolled: () => Promise.resolve(false),
  findChildHolder: () => Promise.resolve(undefined),
  hasSearchAttributes: () => Promise.resolve(true),
  awaitChild: () => Promise.reject(ApplicationFailure.nonRetryable('not expected here')),
  awaitPart: () => Promise.reject(ApplicationFailure.nonRetryable('not expected here')),
};

const hostDefaults: HostActivities = {
  captureTarget: (input) => Promise.resolve(anArtifact(input)),
  copyArtifact: () => Promise.resolve({ broughtCount: 1 }),
  verifyTarget: ({ target, kind, method }) =>
    Promise.resolve({ target, kind, method, outcome: 'verified', notes: [], durationMs: 1 }),
  planRestore: (input) => Promise.resolve(aRestorePlan(input)),
  restoreTarget: (input) => Promise.resolve(aRestored(input)),
  pruneDestination: () => Promise.resolve({ removedCount: 0, warnings: [] }),
  recordRun: () => Promise.resolve(),
};

export function startRun(stage: Stage, workflowId = `middle-earth/run-${randomBytes(4).toString('hex')}`) {
  const args: [BackupRunInput] = [{ trigger: 'manual' }];
  return stage.client.workflow.start<typeof BackupRun>('BackupRun', {
    workflowId,
    taskQueue: ORCHESTRATOR_QUEUE,
    args,
  });
}

/** The report of a run that ended by itself, and the type of its failure, if it failed. */
export async function ending(
  handle: Awaited<ReturnType<typeof startRun>>,
): Promise<{ report: RunReport; type: string | undefined }> {
  try {
    return { report: await handle.result(), type: undefined };
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
    if (!(cause instanceof ApplicationFailure)) throw error;
    return { report: cause.details?.[0] as RunReport, type: cause.type ?? '' };
  }
}

/** What an activity does that goes on until somebody cancels it. */
export function untilCancelled(): Promise<never> {
  const ctx = Context.current();
  const pulse = setInterval(() => ctx.heartbeat(), 100);
  return ctx.cancelled.finally(() => clearInterval(pulse));
}
