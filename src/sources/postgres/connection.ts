import { isUtf8 } from 'node:buffer';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupError } from '../../domain/errors.js';
import type { DatabaseConnection } from '../../domain/target.js';
import { runProgram } from '../../pipeline/process.js';
import { requirePsql, type Tools } from '../../pipeline/tools.js';
import { translatePostgresError } from './errors.js';

export interface DatabaseLogin {
  /** What messages call it: the target's name. */
  target: string;
  connection: DatabaseConnection;
  /** Absent: none is sent; the server may trust, or know a certificate. */
  password?: string;
  tools: Tools;
  signal?: AbortSignal;
}

/** A login whose password can be read by the programs that are given `env`, and by nobody else. */
export interface Session extends Omit<DatabaseLogin, 'password'> {
  /** For pg_dump and psql: where and as whom they connect. */
  env: Record<string, string>;
}

/**
 * For `--dbname`: it has no dbname, so that the name comes from PGDATABASE, the one place where no text is taken for an
 * option or for more of a connection string. The keepalives notice a server that vanished without a word.
 */
export const CONNECTION_OPTIONS = 'keepalives=1 keepalives_idle=60 keepalives_interval=15 keepalives_count=4';
const CONNECT_TIMEOUT_SECONDS = 20;

/** A database's settings must not end or bend our own queries. */
const PREAMBLE = `SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET search_path = pg_catalog;
`;

/** Writes the password where only the programs of `work` find it, and removes it whatever happens. */
export async function withSession<T>(login: DatabaseLogin, work: (session: Session) => Promise<T>): Promise<T> {
  const { password, ...rest } = login;
  const directory = await mkdtemp(join(tmpdir(), 'backup-login-'));
  let file: FileHandle | undefined;
  try {
    const path = join(directory, 'pgpass');
    file = await open(path, 'wx', 0o600);
    await file.writeFile(passwordLine(login.target, password));
    const env = { ...connectionEnvironment(login.connection), PGPASSFILE: path };
    if (process.platform === 'linux') {
      // Without a name nothing stays on disk when this process is killed; children still open it by way of /proc.
      await rm(directory, { recursive: true });
      env.PGPASSFILE = `/proc/${String(process.pid)}/fd/${String(file.fd)}`;
    }
    return await work({ ...rest, env });
  } finally {
    await file?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The same session, connecting to another database of the server. */
export function inDatabase(session: Session, database: string): Session {
  return { ...session, env: { ...session.env, PGDATABASE: database } };
}

/**
 * Runs SQL and returns what psql prints, rows as lines, columns separated by `|`. Errors: those of
 * `translatePostgresError`; `what` completes `cannot …` where a statement fails.
 */
export async function runSql(session: Session, sql: string | Buffer, what?: string): Promise<string> {
  const { path } = requirePsql(session.tools);
  const { signal, env } = session;
  const args = ['-X', '-w', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', CONNECTION_OPTIONS, '-f', '-'];
  try {
    const input = {
      file: path,
      args,
      env,
      stdin: typeof sql === 'string' ? PREAMBLE + sql : Buffer.concat([Buffer.from(PREAMBLE), sql]),
      ...(signal === undefined ? {} : { signal }),
    };
    return (await runProgram(input)).stdout.trimEnd();
  } catch (error) {
    const subject = subjectOf(session);
    throw translatePostgresError(error, { subject, what: what ?? `query ${subject}` });
  }
}

/**
 * Runs a query of one row that is one `jsonb`. Names and comments are kept for all databases of a server together, as the
 * bytes that they were written with: a database of another encoding would show them wrong. So they come as bytes.
 */
export async function queryJson<T>(session: Session, query: string): Promise<T> {
  return parseJson<T>(await runSql(session, jsonStatement(query)));
}

/** A statement whose one line `parseJson` reads, for scripts that ask for more. */
export function jsonStatement(query: string): string {
  return `SELECT encode(convert_to((${query})::text, getdatabaseencoding()), 'hex');`;
}

export function parseJson<T>(hex: string): T {
  const json = Buffer.from(hex, 'hex').toString('latin1');
  return JSON.parse(json, (_key, value: unknown) => (typeof value === 'string' ? decodeBytes(value) : value)) as T;
}

/** UTF-8 where it can be, else latin1. */
export function decodeBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

/** What messages say that they talk about: `mordor (database mordor on postgres:5432)`. */
export function subjectOf({ target, connection, env }: Pick<Session, 'target' | 'connection' | 'env'>): string {
  const database = env['PGDATABASE'] ?? connection.database;
  return `${target} (database ${database} on ${connection.host}:${String(connection.port)})`;
}

function connectionEnvironment({ host, port, user, database, sslmode }: DatabaseConnection) {
  return {
    ...{ PGHOST: host, PGPORT: String(port), PGUSER: user, PGDATABASE: database },
    ...{ PGCONNECT_TIMEOUT: String(CONNECT_TIMEOUT_SECONDS), PGAPPNAME: 'backup-orchestrator' },
    ...(sslmode === undefined ? {} : { PGSSLMODE: sslmode }),
  };
}

function passwordLine(target: string, password: string | undefined): string {
  if (password === undefined || password === '') return '';
  if (/[\n\r\0]/.test(password)) {
    throw new BackupError('ConfigInvalid', `cannot connect to ${target}: because its password holds a line break`, {
      hint: 'PostgreSQL programs read passwords by the line: choose one without a line break (a file of a secret may end in two)',
    });
  }
  return `*:*:*:*:${password.replaceAll(/[\\:]/g, '\\$&')}\n`;
}
