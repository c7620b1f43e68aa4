import { execFile } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { plainUser, runAsPlainUser, setprivOptions, type PlainUser } from './plain-user.js';
import { inScratchDirectory, removeDirectory } from './scratch-directory.js';
import { ServerProcess } from './server-process.js';
import { distributionMajor, partOf, postgresBin, postgresClientBin } from './tools.js';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Default: the distribution's (15 on Debian 12, 16 on Ubuntu 24.04). 15 to 18 are always there to test with. */
  major?: number;
  /** A superuser. Default: `postgres`. */
  user?: string;
  /** Default: `test password`. Any text without a NUL. */
  password?: string;
  /** Settings of the server, as in postgresql.conf. */
  settings?: Record<string, string>;
}

export interface PostgresServer {
  host: string;
  port: number;
  user: string;
  password: string;
  major: number;
  /** The directory of its clients. */
  bin: string;
  /** The directory of its server, where it can be started from. */
  serverBin: string;
  logFile: string;
  /** Runs SQL as the superuser `postgres` and returns rows as lines, columns separated by `|`. Fails at the first error. */
  psql(database: string, sql: string): Promise<string>;
  /** SIGKILL to the server and its backends. */
  kill(): Promise<void>;
  /** Ends it (fast shutdown) where it runs, and starts it on the same port and data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A PostgreSQL server of its own system identifier on 127.0.0.1, where every login needs a password (scram). */
export function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  return inScratchDirectory('postgres', (directory) => startIn(directory, options));
}

async function startIn(directory: string, options: PostgresOptions): Promise<PostgresServer> {
  const { major = distributionMajor(), user = 'postgres', password = 'test password', settings = {} } = options;
  const bin = postgresClientBin(major);
  const owner = await plainUser();
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
  const serverBin = await reachableBin(postgresBin(major), directory, owner);
  // No template is kept: its copies would share one system identifier, by which backups tell servers apart.
  await runAsPlainUser(owner, join(serverBin, 'initdb'), initdbArguments(join(directory, 'data')));
  const port = await freePort();
  const logFile = join(directory, 'server.log');
  const psql = (database: string, sql: string) => runPsql({ bin, directory, port, database, sql });
  const server = new ServerProcess({
    name: `PostgreSQL ${String(major)}`,
    program: join(serverBin, 'postgres'),
    args: serverArguments(directory, port, settings),
    cwd: directory,
    logFile,
    setpriv: setprivOptions(owner),
    isReady: async () => (await psql('postgres', 'SELECT 1')) === '1',
  });
  await server.start();
  await psql('postgres', loginSql(user, password));
  return {
    ...{ host: '127.0.0.1', port, user, password, major, bin, serverBin, logFile, psql },
    kill: () => server.kill(),
    async restart() {
      await server.terminate('SIGINT');
      await server.start();
    },
    async stop() {
      await server.terminate('SIGQUIT', 5_000);
      await removeDirectory(directory);
    },
  };
}

function initdbArguments(dataDirectory: string): string[] {
  const logins = ['--auth-local=trust', '--auth-host=scram-sha-256'];
  return ['-D', dataDirectory, '-U', 'postgres', ...logins, '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
}

function serverArguments(directory: string, port: number, settings: Record<string, string>): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: directory,
    // The data need not survive a machine that dies, only a server that is killed.
    fsync: 'off',
    full_page_writes: 'off',
    ...settings,
  };
  return ['-D', join(directory, 'data'), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/**
 * `initdb` and the server refuse to run as root, and another user may not be able to look into root's cache:
 * then they run from a copy.
 */
async function reachableBin(bin: string, directory: string, owner: PlainUser | undefined): Promise<string> {
  try {
    await runAsPlainUser(owner, 'test', ['-x', join(bin, 'postgres')]);
    return bin;
  } catch {
    const copy = join(directory, 'programs');
    // With the libraries beside it; as links, which cost nothing, where that is one file system.
    await run('cp', ['-al', partOf(bin), copy]).catch(() => run('cp', ['-aT', partOf(bin), copy]));
    return join(copy, relative(partOf(bin), bin));
  }
}

function loginSql(user: string, password: string): string {
  const name = `"${user.replaceAll('"', '""')}"`;
  const secret = `'${password.replaceAll("'", "''")}'`;
  const verb = user === 'postgres' ? 'ALTER' : 'CREATE';
  return `SET standard_conforming_strings = on; ${verb} ROLE ${name} SUPERUSER LOGIN PASSWORD ${secret}`;
}

interface PsqlCall {
  bin: string;
  /** Of the server's socket, which only root and the server's user can reach: no password is needed there. */
  directory: string;
  port: number;
  database: string;
  sql: string;
}

async function runPsql({ bin, directory, port, database, sql }: PsqlCall): Promise<string> {
  const env = { ...process.env, PGHOST: directory, PGPORT: String(port), PGUSER: 'postgres', PGDATABASE: database };
  const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-'];
  const call = run(join(bin, 'psql'), args, { env, maxBuffer: 256 * 1024 * 1024 });
  call.child.stdin?.on('error', () => undefined); // a psql that ended before it read says why on its stderr
  call.child.stdin?.end(sql); // not in argv, where everybody on the machine could read it
  return (await call).stdout.trimEnd();
}
