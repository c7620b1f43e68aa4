import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { ORCHESTRATOR_QUEUE, hostQueue } from '../../src/domain/task-queues.js';
import { queuePollers } from '../../src/temporal/pollers.js';
import { inScratchDirectory, removeDirectory } from './scratch-directory.js';
import { createNamespace } from './temporal-namespace.js';
import { runBackupctl, type CommandResult, type RunningCommand, startBackupctl } from './backupctl.js';
import { WorkerProcess, type WorkerOptions } from './worker-process.js';
import { waitFor } from './wait-for.js';
import './provided.js';

export interface DeploymentOptions {
  /** YAML of `backup_targets`, `volume_backups`: list items, without the keys above them. */
  databases?: string;
  volumes?: string;
  /** Lines of `backup_config` beside those that every deployment has. */
  settings?: Record<string, string | number | boolean | Record<string, string | number>>;
  /** Beside what reaches the servers; it goes to `stack.env`. */
  env?: Record<string, string>;
  /** Needed for every schedule: where they fire, a namespace costs much more. Default: false. */
  schedules?: boolean;
  /** Default: a shared server of the run. */
  temporalAddress?: string;
  /** Default: a new one. */
  namespace?: string;
  /** Default: none, local only. `endpoint` default: the shared server. */
  s3?: { bucket: string; endpoint?: string; prefix?: string };
}

/** A configuration, a directory and a namespace of its own: what an operator has on a machine, for one test. */
export interface Deployment {
  directory: string;
  backupDir: string;
  configFile: string;
  namespace: string;
  client: Client;
  /** What its commands and workers find in their environment. */
  env: Record<string, string>;
  configure(options: DeploymentOptions): Promise<void>;
  /** Starts `node dist/worker.js`, and waits until it polls. */
  startWorker(env?: Record<string, string>, options?: Pick<WorkerOptions, 'wrapper'>): Promise<WorkerProcess>;
  /** A further host: the same targets, with a directory and an environment of its own, and no worker yet. */
  addHost(host: string, env?: Record<string, string>): Promise<Host>;
  backupctl(args: readonly string[], env?: Record<string, string>): Promise<CommandResult>;
  startBackupctl(args: readonly string[], env?: Record<string, string>): RunningCommand;
  close(): Promise<void>;
}

export interface Host {
  backupDir: string;
  /** What its workers and commands find in their environment. */
  env: Record<string, string>;
  /** Starts its worker, and waits until it polls. */
  startWorker(): Promise<WorkerProcess>;
}

/** Tests of databases and volumes count their own targets: those of globals turn them on. */
const WITHOUT_GLOBALS = { globals: false };

/** For tests in which a worker is lost. Elsewhere a busy machine must not make one look dead: it would be one attempt more. */
export const SOON_LOST = { heartbeat_timeout: '3s' };

/** For tests in which the successor of a worker that died goes on: it is the only one who can, before the test is over. */
export const NEVER_LOST = { heartbeat_timeout: '10m', retry_delay: '10m' };

/** Settings under which a failure is noticed in seconds; the server's own timers are good to about one. */
const QUICK = {
  heartbeat_timeout: '8s',
  retry_delay: '1s',
  unpolled_timeout: '5s',
};

export function deploy(options: DeploymentOptions = {}): Promise<Deployment> {
  return inScratchDirectory('deployment', (directory) => deployIn(directory, options));
}

async function deployIn(directory: string, options: DeploymentOptions): Promise<Deployment> {
  const address =
    options.temporalAddress ?? inject(options.schedules === true ? 'schedulingTemporal' : 'temporal').address;
  const namespace = options.namespace ?? `e2e-${randomBytes(4).toString('hex')}`;
  if (options.namespace === undefined) await createNamespace(address, namespace);
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const backupDir = join(directory, 'backups');
  await mkdir(backupDir);
  const configFile = join(directory, 'backups.yml');
  const env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, BACKUPS_FILE: configFile };
  const workers: WorkerProcess[] = [];
  let current = options;
  const configure = (changed: DeploymentOptions) => {
    current = { ...options, ...changed };
    if (options.schedules !== true && options.temporalAddress === undefined) refuseSchedules(current);
    return writeConfiguration(directory, backupDir, current);
  };
  const launch = async (workerEnv: Record<string, string>, queue: string, wrapping: Pick<WorkerOptions, 'wrapper'>) => {
    const logFile = join(directory, `worker-${workers.length}.log`);
    const worker = new WorkerProcess({ ...wrapping, env: workerEnv, logFile });
    workers.push(worker);
    await worker.start();
    const types = queue === ORCHESTRATOR_QUEUE ? (['workflow', 'activity'] as const) : (['activity'] as const);
    await waitFor('a worker to poll', async () => {
      const pollers = await Promise.all(types.map((type) => queuePollers(client, { taskQueue: queue, type })));
      return pollers.every((p) => p.some((identity) => identity.includes(` ${worker.pid}@`)));
    });
    return worker;
  };
  await configure({});
  return {
    ...{ directory, backupDir, configFile, namespace, client, env, configure },
    startWorker: (more = {}, wrapping = {}) => launch({ ...env, ...more }, ORCHESTRATOR_QUEUE, wrapping),
    async addHost(host, more = {}) {
      const hostDirectory = join(directory, `host-${host}`);
      const hostBackupDir = join(hostDirectory, 'backups');
      await mkdir(hostBackupDir, { recursive: true });
      await writeConfiguration(hostDirectory, hostBackupDir, { ...current, env: { ...current.env, ...more } });
      const hostEnv = { ...env, BACKUPS_FILE: join(hostDirectory, 'backups.yml'), BACKUP_HOST: host };
      return { backupDir: hostBackupDir, env: hostEnv, startWorker: () => launch(hostEnv, hostQueue(host), {}) };
    },
    backupctl: (args, more = {}) => runBackupctl({ args, env: { ...env, ...more }, cwd: directory }),
    startBackupctl: (args, more = {}) => startBackupctl({ args, env: { ...env, ...more }, cwd: directory }),
    async close() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await connection.close();
      await removeDirectory(directory);
    },
  };
}

function refuseSchedules({ databases = '', volumes = '', settings }: DeploymentOptions): void {
  const isCron = /\* \*/.test(`${databases}${volumes}${JSON.stringify(settings)}`);
  if (isCron) throw new Error('no schedule fires in this deployment: deploy it with `schedules: true`');
}

async function writeConfiguration(directory: string, backupDir: string, options: DeploymentOptions): Promise<void> {
  const { databases, volumes, settings = {}, env = {}, s3 } = options;
  const bucket = s3 === undefined ? {} : s3Settings(s3);
  const config = { backup_dir: backupDir, ...WITHOUT_GLOBALS, ...QUICK, ...bucket, ...settings };
  const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
  const list = (key: string, items: string | undefined) => (items === undefined ? '' : `${key}:\n${items}\n`);
  const text = `${list('backup_targets', databases)}${list('volume_backups', volumes)}backup_config:\n${lines.join('\n')}\n`;
  await writeFile(join(directory, 'backups.yml'), text);
  const s3Server = inject('s3');
  const keys = { AWS_ACCESS_KEY_ID: s3Server.accessKeyId, AWS_SECRET_ACCESS_KEY: s3Server.secretAccessKey };
  const variables = { ...keys, DB_PASSWORD: inject('postgres').password, ...env };
  const quoted = Object.entries(variables).map(([name, value]) => `${name}='${value.replaceAll("'", "\\'")}'`);
  await writeFile(join(directory, 'stack.env'), quoted.join('\n') + '\n', { mode: 0o600 });
}

function s3Settings({ bucket, endpoint, prefix }: NonNullable<DeploymentOptions['s3']>): Record<string, string> {
  const server = inject('s3');
  return {
    s3_bucket: bucket,
    s3_region: server.region,
    s3_endpoint: endpoint ?? server.endpoint,
    s3_force_path_style: 'true',
    ...(prefix !== undefined && { s3_prefix: prefix }),
  };
}

/** A database of the shared server as an item of `backup_targets`. */
export function databaseItem(name: string, database: string, more = ''): string {
  const { host, port, user } = inject('postgres');
  const connection = { host, port, user, password: '${DB_PASSWORD}', database };
  return `  - name: ${JSON.stringify(name)}\n    type: database\n    config: ${JSON.stringify(connection)}${more === '' ? '' : `\n    ${more}`}`;
}

export function volumeItem(name: string, volume: string, more = ''): string {
  return `  - name: ${JSON.stringify(name)}\n    volume_name: ${JSON.stringify(volume)}${more === '' ? '' : `\n    ${more}`}`;
}

/** A volume that is mounted under `path`. */
export function mountedItem(name: string, path: string): string {
  return `  - name: ${JSON.stringify(name)}\n    path: ${JSON.stringify(path)}`;
}

/** The text of the log of the newest worker of a deployment. */
export function readLog(worker: WorkerProcess): Promise<string> {
  return readFile(worker.logFile, 'utf8');
}
