import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { abortError, throwIfAborted } from '../pipeline/abort.js';
import { runProgram, startPipeline, type StageResult } from '../pipeline/process.js';
import { stageFailure } from '../pipeline/stage-result.js';
import type { Tools } from '../pipeline/tools.js';
import { runSql, withSession, type DatabaseLogin } from '../sources/postgres/connection.js';
import { quoteIdentifier } from '../sources/postgres/quoting.js';
import { socketPath } from '../sources/process-guard.js';
import { serverTrouble } from './complaints.js';
import { makeDrillDirectory, type DrillDirectory } from './drill-directory.js';
import type { DrillPrograms } from './server-programs.js';
import { asServerUser } from './server-user.js';

export interface ClusterInput {
  programs: DrillPrograms;
  /** Where there is room for the database. */
  scratchDir: string;
  /** The name of the first superuser, which a cluster is born with. Default: one that nobody has. */
  bootstrap?: string | undefined;
  /** Of the dump, all of which are locked at once. */
  objectCount: number;
  signal: AbortSignal;
}

/** A PostgreSQL server that nobody else can reach: it listens on a socket in a closed directory, and nowhere else. */
export interface ThrowawayCluster {
  directory: string;
  /** Whom the server runs as, where that is not the user of this process. */
  serverUser: string | undefined;
  serverVersion: string;
  tools: Tools;
  /** The first superuser, who restores. */
  bootstrap: string;
  /** A superuser of the drill's own, whom no dump and no settings know: who asks by default. */
  keeper: string;
  login(database: string, user?: string): DatabaseLogin & { signal: AbortSignal };
  /** Ends the server and removes all that it wrote. */
  remove(): Promise<void>;
}

const PORT = 5432;
const READY = 'database system is ready to accept connections';
const QUIT_GRACE_MS = 5000;

/**
 * Makes a cluster of its own and starts it; both end with this process. Rejects with Cancelled, and with what `initdb` or the
 * server said where it does not start; nothing is left then.
 */
export async function startThrowawayCluster(input: ClusterInput): Promise<ThrowawayCluster> {
  throwIfAborted(input.signal);
  const directory = await makeDrillDirectory(input.scratchDir, input.programs.user);
  try {
    return await startIn(directory, input);
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

async function startIn(directory: DrillDirectory, input: ClusterInput): Promise<ThrowawayCluster> {
  const { programs, signal } = input;
  const { user, serverVersion, tools } = programs;
  const keeper = `drill_${randomBytes(6).toString('hex')}`;
  const bootstrap = input.bootstrap ?? `${keeper}_first`;
  const data = join(directory.path, 'data');
  const initdb = asServerUser(user, { file: programs.initdb, args: initdbArguments(data, bootstrap) });
  await runProgram({ ...initdb, signal }).catch((error: unknown) => {
    throw serverTrouble(error);
  });
  const server = startServer(asServerUser(user, { file: programs.postgres, args: serverArguments(data, input) }));
  const socket = await socketPath(data, `.s.PGSQL.${String(PORT)}`);
  const remove = async () => {
    await server.stop(data);
    await socket.release();
    await directory.remove();
  };
  const connection = { host: dirname(socket.path), port: PORT };
  const login = (database: string, user = keeper) => ({
    ...{ target: 'the drill', connection: { ...connection, user, database }, tools, signal },
  });
  try {
    await server.ready(signal);
    const create = `CREATE ROLE ${quoteIdentifier(keeper)} SUPERUSER LOGIN;`;
    await withSession(login('template1', bootstrap), (session) => runSql(session, create));
  } catch (error) {
    await remove();
    throw error;
  }
  return { directory: directory.path, serverUser: user?.name, serverVersion, tools, bootstrap, keeper, login, remove };
}

function initdbArguments(data: string, superuser: string): string[] {
  const logins = ['--auth=trust', `--username=${superuser}`]; // the directory is closed to all others
  return ['-D', data, ...logins, '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
}

function serverArguments(data: string, { objectCount }: ClusterInput): string[] {
  const settings = {
    ...{ listen_addresses: '', port: String(PORT), unix_socket_directories: '.', unix_socket_permissions: '0700' },
    // It lives for one restore: nothing has to survive a machine that dies, and nobody waits for statistics.
    ...{ fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', autovacuum: 'off', jit: 'off' },
    ...{ wal_level: 'minimal', max_wal_senders: '0', max_connections: String(MAX_CONNECTIONS) },
    max_locks_per_transaction: String(64 + Math.ceil((2 * objectCount) / MAX_CONNECTIONS)),
    dynamic_shared_memory_type: 'mmap', // /dev/shm of a container is small
    // A build of an index ends when the client that waits for it was killed.
    client_connection_check_interval: '2s',
    allow_in_place_tablespaces: 'on',
    // Statements may hold secrets.
    ...{ log_destination: 'stderr', logging_collector: 'off', log_min_error_statement: 'panic', lc_messages: 'C' },
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

const MAX_CONNECTIONS = 20;

interface ServerProcess {
  ready(signal: AbortSignal): Promise<void>;
  stop(data: string): Promise<void>;
}

function startServer(program: { file: string; args: readonly string[] }): ServerProcess {
  const stopper = new AbortController();
  let onReady = () => {};
  const isReady = new Promise<void>((resolve) => (onReady = resolve));
  const told = { text: '' };
  const onStderr = (piece: Buffer) => {
    told.text = (told.text + piece.toString('latin1')).slice(-1000);
    if (told.text.includes(READY)) onReady();
  };
  const { finished } = startPipeline({
    stages: [{ ...program, onStderr }],
    stdout: 'ignore',
    signal: stopper.signal,
  });
  const ended = finished.then(([result]) => result as StageResult);
  return {
    ready: (signal) => firstOf(isReady, ended, signal),
    async stop(data) {
      await askToQuit(data);
      const timer = setTimeout(() => stopper.abort(), QUIT_GRACE_MS);
      await ended.finally(() => clearTimeout(timer));
    },
  };
}

async function firstOf(isReady: Promise<void>, ended: Promise<StageResult>, signal: AbortSignal): Promise<void> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  const died = ended.then((result) => {
    throw stageFailure(result, 'start a server for a drill');
  });
  died.catch(() => undefined);
  await Promise.race([isReady, died, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}

/** An immediate shutdown, without writing anything more: the first line of its file is its id, and it is our child. */
async function askToQuit(data: string): Promise<void> {
  try {
    const [pid] = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGQUIT');
  } catch {
    // It has ended, or has not begun: then the other way does it.
  }
}
