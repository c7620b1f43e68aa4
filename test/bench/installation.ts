import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { ORCHESTRATOR_QUEUE } from '../../src/domain/task-queues.js';
import type { BackupRunInput, RunReport } from '../../src/domain/run.js';
import { runBackupctl, type CommandResult } from '../support/backupctl.js';
import { createNamespace } from '../support/temporal-namespace.js';
import { waitFor } from '../support/wait-for.js';
import { WorkerProcess, type WorkerOptions } from '../support/worker-process.js';
import { DATA_CONVERTER } from '../../src/temporal/data-converter.js';
import { queuePollers } from '../../src/temporal/pollers.js';
import type { Stage } from './stage.js';
import { stepTimes, type StepTimes } from './step-times.js';

export interface InstallationOptions {
  /** Entries of `backup_targets`, without `config`: see `databaseConfig`. */
  databases?: readonly object[];
  /** Entries of `volume_backups`. */
  volumes?: readonly object[];
  /** Keys of `backup_config`. */
  settings?: object;
  /** Copies go to a bucket of its own. Default: local only. */
  withS3?: boolean;
  /** Instead of the S3 server's own: a proxy. */
  s3Endpoint?: string;
}

/** The service as an operator has it: a configuration, a directory, a namespace, a worker. */
export interface Installation {
  backupDir: string;
  client: Client;
  worker: WorkerProcess;
  /** A run by hand, followed to its end. Throws where it does not succeed. */
  run(targets?: readonly string[]): Promise<FinishedRun>;
  backupctl(args: readonly string[]): Promise<CommandResult>;
  startWorker(options?: Pick<WorkerOptions, 'wrapper'>): Promise<WorkerProcess>;
  close(): Promise<void>;
}

export interface FinishedRun {
  report: RunReport;
  /** From the start of the run to its end. */
  seconds: number;
  /** By target. */
  steps: Map<string, StepTimes>;
}

export const SERVICE = 'bench';

/** How the service logs in to the stage's server. */
export function databaseConfig({ postgres: { host, port, user } }: Stage, database: string): object {
  return { host, port, user, password: '${DB_PASSWORD}', database };
}

/** Sets it up and starts its worker; closed at the end of the stage where its case does not. */
export async function install(stage: Stage, options: InstallationOptions): Promise<Installation> {
  const { temporal, s3 } = stage;
  const id = randomBytes(4).toString('hex');
  const directory = join(stage.directory, `installation-${id}`);
  const backupDir = join(directory, 'backups');
  await mkdir(backupDir, { recursive: true });
  const bucket = options.withS3 === true ? `bench-${id}` : undefined;
  if (bucket !== undefined) await s3.createBucket(bucket);
  const configFile = join(directory, 'backups.yml');
  await writeFile(configFile, JSON.stringify(configuration(stage, options, { backupDir, bucket })));
  await writeFile(join(directory, 'stack.env'), environmentFile(stage), { mode: 0o600 });
  const namespace = `bench-${id}`;
  await createNamespace(temporal.address, namespace);
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace, dataConverter: DATA_CONVERTER });
  const env = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: namespace, BACKUPS_FILE: configFile };
  const workers: WorkerProcess[] = [];
  const startWorker = async (wrapping: Pick<WorkerOptions, 'wrapper'> = {}) => {
    const logFile = join(directory, `worker-${String(workers.length)}.log`);
    const worker = new WorkerProcess({ ...wrapping, env: { LOG_LEVEL: 'info', ...env }, logFile });
    workers.push(worker);
    await worker.start();
    await waitFor('the worker to poll', async () => {
      const pollers = await queuePollers(client, { taskQueue: ORCHESTRATOR_QUEUE, type: 'workflow' });
      return pollers.some((identity) => identity.includes(` ${String(worker.pid)}@`));
    });
    return worker;
  };
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    await Promise.all(workers.map((worker) => worker.kill()));
    await connection.close();
  };
  stage.atEnd(close);
  return {
    ...{ backupDir, client, worker: await startWorker(), startWorker, close },
    run: (targets = []) => run(client, targets),
    backupctl: (args) => runBackupctl({ args, env, cwd: directory }),
  };
}

function configuration(
  stage: Stage,
  options: InstallationOptions,
  places: { backupDir: string; bucket: string | undefined },
) {
  const { databases = [], volumes = [], settings = {}, s3Endpoint } = options;
  const { s3 } = stage;
  const { backupDir, bucket } = places;
  const copies = bucket !== undefined && {
    ...{ s3_bucket: bucket, s3_region: s3.region, s3_endpoint: s3Endpoint ?? s3.endpoint, s3_force_path_style: true },
  };
  const common = { service: SERVICE, backup_dir: backupDir, globals: false, retention_count: 1 };
  return {
    ...(databases.length > 0 && { backup_targets: databases }),
    ...(volumes.length > 0 && { volume_backups: volumes }),
    backup_config: { ...common, ...copies, ...settings },
  };
}

function environmentFile({ s3, postgres }: Stage): string {
  return `DB_PASSWORD='${postgres.password}'\nAWS_ACCESS_KEY_ID='${s3.accessKeyId}'\nAWS_SECRET_ACCESS_KEY='${s3.secretAccessKey}'\n`;
}

async function run(client: Client, targets: readonly string[]): Promise<FinishedRun> {
  const workflowId = `${SERVICE}/run-manual-${randomBytes(4).toString('hex')}`;
  const startMs = Date.now();
  const handle = await client.workflow.start('BackupRun', {
    workflowId,
    taskQueue: ORCHESTRATOR_QUEUE,
    args: [{ trigger: 'manual', targets: [...targets] } satisfies BackupRunInput],
  });
  const report = (await handle.result()) as RunReport;
  const seconds = (Date.now() - startMs) / 1000;
  const steps = new Map<string, StepTimes>();
  for (const { target, kind } of report.targets) {
    steps.set(target, await stepTimes(client, `${SERVICE}/${kind}/${target}`, startMs));
  }
  return { report, seconds, steps };
}
