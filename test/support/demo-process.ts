import { execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmod, mkdtemp, readFile, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { LABEL } from '../../src/sources/docker/helper-labels.js';
import { killTree } from './process-tree.js';
import { removeDirectory } from './scratch-directory.js';
import { dockerLines } from './volume-attempt.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What it says when its configuration is written. */
const WORKER_STARTS = "The service's worker";

export interface DemoConfiguration {
  configFile: string;
  /** Also what the names of its volumes begin with. */
  service: string;
  /** Variables of stack.env. */
  env: Record<string, string>;
  /** Permission bits of stack.env. */
  mode: number;
}

export interface RunningDemo {
  /** Where everything of it lies. */
  scratch: string;
  /** stdout and stderr so far. */
  output(): string;
  /** Waits until it has said so. */
  says(text: string): Promise<void>;
  /** Waits until it has written its configuration. */
  configuration(): Promise<DemoConfiguration>;
  /** Does something while the demo itself stands still; its servers go on. */
  whileHalted(work: () => Promise<void>): Promise<void>;
  /** To its whole process group, as a terminal does. */
  interrupt(): void;
  ended: Promise<number | null>;
}

/** `npm run demo` after the set-up, in a directory for temporary files of its own. */
export async function startDemo(args: readonly string[] = [], env: Record<string, string> = {}): Promise<RunningDemo> {
  const scratch = await mkdtemp(join(tmpdir(), 'demo-test-'));
  await chmod(scratch, 0o711);
  onTestFinished(() => removeDirectory(scratch));
  const command = ['--pdeathsig', 'KILL', 'sh', '-c', `${await demoCommand()} "$@"`, 'sh', ...args];
  const child = spawn('setpriv', command, {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: scratch, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group of its own
  });
  const pid = child.pid ?? 0;
  let output = '';
  const heard = new EventEmitter();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      heard.emit('more');
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(() => killTree(pid));
  // Looked at as it comes: what is said passes by.
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => void (output.includes(text) && resolve());
      heard.on('more', look);
      look();
      void ended.then(() => reject(new Error(`the demo has ended without saying ${JSON.stringify(text)}: ${output}`)));
    });
  return {
    scratch,
    output: () => output,
    says,
    async configuration() {
      await says(WORKER_STARTS);
      return readConfiguration(scratch);
    },
    async whileHalted(work) {
      process.kill(-pid, 'SIGSTOP');
      await work().finally(() => process.kill(-pid, 'SIGCONT'));
    },
    interrupt: () => process.kill(-pid, 'SIGINT'),
    ended,
  };
}

/** The end of package.json's script, which takes the arguments. */
async function demoCommand(): Promise<string> {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: { demo: string };
  };
  return scripts.demo.split('&&').at(-1) ?? '';
}

async function readConfiguration(scratch: string): Promise<DemoConfiguration> {
  const [name = ''] = await readdir(scratch);
  const configFile = join(scratch, name, 'backups.yml');
  const stackEnv = join(scratch, name, 'stack.env');
  const text = await readFile(stackEnv, 'utf8');
  const service = /service: "(.*)"/.exec(await readFile(configFile, 'utf8'))?.[1] ?? '';
  const env = Object.fromEntries(
    [...text.matchAll(/^(\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
  ) as Record<string, string>;
  return { configFile, service, env, mode: (await stat(stackEnv)).mode & 0o777 };
}

/** Runs SQL on the demo's server, as its service logs in. */
export async function demoPsql({ configFile, env }: DemoConfiguration, database: string, sql: string): Promise<void> {
  const [, host = '', port = ''] = /host: (\S+), port: (\d+)/.exec(await readFile(configFile, 'utf8')) ?? [];
  const login = { PGHOST: host, PGPORT: port, PGUSER: env['POSTGRES_USER'], PGPASSWORD: env['POSTGRES_PASSWORD'] };
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql];
  await run('psql', args, { env: { ...process.env, ...login, PGDATABASE: database } });
}

export interface DemoLeftovers {
  files: string[];
  /** Processes that know of the demo's directory. */
  processes: string[];
  volumes: string[];
  containers: string[];
}

export const NOTHING_OF_IT: DemoLeftovers = { files: [], processes: [], volumes: [], containers: [] };

/** What is still there of an ended demo. */
export async function leftoversOf({ scratch }: RunningDemo, service: string): Promise<DemoLeftovers> {
  const volumes = await dockerLines('volume', 'ls', '--quiet');
  return {
    files: await readdir(scratch),
    processes: await processesNaming(scratch),
    volumes: volumes.filter((name) => name.startsWith(service)),
    containers: await dockerLines('ps', '--all', '--quiet', '--filter', `label=${LABEL.service}=${service}`),
  };
}

async function processesNaming(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [commandLine = '', environment = ''] = await Promise.all(
        ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      return `${commandLine} ${environment}`.includes(text) ? [`${pid} ${commandLine.replaceAll('\0', ' ')}`] : [];
    }),
  );
  return found.flat();
}
