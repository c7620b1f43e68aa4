import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BackupError } from '../domain/errors.js';
import { findProgram, missingProgram, pathDirectories } from './program.js';
import { runProgram } from './process.js';

export interface Tool {
  path: string;
  /** `15.18`, `1.16`; as the program tells it. */
  version: string;
}

export interface PostgresClient extends Tool {
  major: number;
}

export interface TarTool extends Tool {
  /** Others do not tell what they lost. */
  isGnu: boolean;
}

/** The programs found on this machine. */
export interface Tools {
  /** Every pg_dump, those in PATH first. */
  pgDumps: PostgresClient[];
  /** The servers for drills. Absent: not looked for yet, see `findPostgresServers`. */
  pgServers?: PostgresClient[];
  /** The newest: it reads what every pg_dump here writes, and talks to older servers. */
  psql?: PostgresClient;
  bgzip?: Tool;
  pigz?: Tool;
  zstd?: Tool;
  gzip?: Tool;
  tar?: TarTool;
  docker?: Tool;
  setpriv?: Tool;
}

const PLAIN_TOOLS = ['bgzip', 'pigz', 'zstd', 'gzip', 'docker', 'setpriv'] as const;
/** Where Debian and Ubuntu keep the clients of each major. */
const DISTRIBUTION_DIRECTORY = '/usr/lib/postgresql';
const VERSION_TIMEOUT_MS = 20_000;

/**
 * Looks through PATH and the distribution's PostgreSQL directories. What is not there, or does not tell its version, is
 * absent. Call it once and hand the result on. Throws ProgramMissing only for `setpriv`, without which nothing is run.
 */
export async function findTools(): Promise<Tools> {
  const [pgDumps, psqls, tar, plain] = await Promise.all([
    findClients('pg_dump'),
    findClients('psql'),
    findTar(),
    Promise.all(PLAIN_TOOLS.map(async (name) => [name, await describeTool(findProgram(name))] as const)),
  ]);
  const psql = psqls.sort(byVersion).at(-1);
  const found = Object.fromEntries(plain.filter(([, tool]) => tool !== undefined)) as Partial<Tools>;
  return {
    pgDumps,
    ...(psql === undefined ? {} : { psql }),
    ...(tar === undefined ? {} : { tar }),
    ...found,
  };
}

/** Every `postgres`, the server, those in PATH first. */
export function findPostgresServers(): Promise<PostgresClient[]> {
  return findClients('postgres');
}

/**
 * The oldest client that is not older than the server (`server_version_num`), so that a dump stays as readable for old
 * servers as can be; of one major the first in PATH. Else ProgramMissing, which names the package.
 */
export function choosePgDump(tools: Tools, serverVersionNumber: number): PostgresClient {
  const serverMajor = Math.floor(serverVersionNumber / 10_000);
  const [chosen] = tools.pgDumps
    .filter(({ major }) => major >= serverMajor)
    .sort((one, other) => one.major - other.major);
  if (chosen !== undefined) return chosen;
  const newest = [...tools.pgDumps].sort(byVersion).at(-1);
  const reason = newest === undefined ? 'no pg_dump is installed' : `the newest pg_dump here is ${newest.version}`;
  throw new BackupError(
    'ProgramMissing',
    `cannot dump a server of PostgreSQL ${String(serverMajor)}: because ${reason}`,
    { hint: `install the package postgresql-client-${String(serverMajor)} (apt.postgresql.org has every major)` },
  );
}

/** Another program of the same installation: a pg_dumpall takes only the pg_dump beside it. ProgramMissing names the package. */
export function siblingClient(
  { path, version, major }: PostgresClient,
  name: 'pg_dumpall' | 'pg_restore',
): PostgresClient {
  const found = findProgram(join(dirname(path), name));
  if (found !== undefined) return { path: found, version, major };
  throw new BackupError('ProgramMissing', `cannot run ${name}: because it is not beside ${path}`, {
    hint: `install the package postgresql-client-${String(major)}`,
  });
}

/**
 * Reads archives that a pg_dump of `madeBy` (a major) wrote: the oldest that can, so that what it says to a server is known there; the newest
 * where nobody knows who wrote it. Else ProgramMissing.
 */
export function choosePgRestore(tools: Tools, madeBy?: number): PostgresClient {
  const byAge = [...tools.pgDumps].sort((one, other) => one.major - other.major);
  const chosen = madeBy === undefined ? byAge.at(-1) : byAge.find(({ major }) => major >= madeBy);
  if (chosen !== undefined) return siblingClient(chosen, 'pg_restore');
  const reason =
    madeBy === undefined ? 'no pg_restore is installed' : `a pg_dump of PostgreSQL ${String(madeBy)} wrote it`;
  throw new BackupError('ProgramMissing', `cannot read an archive: because ${reason}`, {
    hint: `install the package postgresql-client${madeBy === undefined ? '' : `-${String(madeBy)}`}`,
  });
}

/** The one psql that is used for everything, or ProgramMissing. */
export function requirePsql(tools: Tools): PostgresClient {
  if (tools.psql !== undefined) return tools.psql;
  throw new BackupError('ProgramMissing', 'cannot talk to PostgreSQL: because psql is not installed', {
    hint: 'install the package postgresql-client',
  });
}

/** The tar that archives and extracts directories of this machine, or ProgramMissing. */
export function requireGnuTar({ tar }: Tools): TarTool {
  if (tar === undefined) throw missingProgram('tar');
  if (tar.isGnu) return tar;
  throw new BackupError('ProgramMissing', `cannot archive with ${tar.path}: because it is not GNU tar`, {
    hint: 'install the package tar, and bring it into PATH before that one',
  });
}

async function findTar(): Promise<TarTool | undefined> {
  const described = await describe(findProgram('tar'));
  return described === undefined ? undefined : { ...described.tool, isGnu: described.said.includes('GNU tar') };
}

async function findClients(name: 'pg_dump' | 'psql' | 'postgres'): Promise<PostgresClient[]> {
  const paths = [...pathDirectories(), ...distributionDirectories()]
    .map((directory) => findProgram(join(directory, name)))
    .filter((path) => path !== undefined && !isDebianWrapper(path));
  const tools = await Promise.all([...new Set(paths)].map(describeTool));
  return tools
    .filter((tool) => tool !== undefined)
    .map((tool) => ({ ...tool, major: Number.parseInt(tool.version, 10) }))
    .filter(({ major }) => !Number.isNaN(major));
}

function distributionDirectories(): string[] {
  try {
    return readdirSync(DISTRIBUTION_DIRECTORY).map((major) => join(DISTRIBUTION_DIRECTORY, major, 'bin'));
  } catch {
    return [];
  }
}

/** `/usr/bin/pg_dump` of Debian is a script that picks a version by itself. */
function isDebianWrapper(path: string): boolean {
  return basename(realpathSync(path)) === 'pg_wrapper';
}

async function describeTool(path: string | undefined): Promise<Tool | undefined> {
  return (await describe(path))?.tool;
}

async function describe(path: string | undefined): Promise<{ tool: Tool; said: string } | undefined> {
  if (path === undefined) return undefined;
  try {
    const { stdout, stderr } = await runProgram({ file: path, args: ['--version'], timeoutMs: VERSION_TIMEOUT_MS });
    const said = stdout + stderr;
    // One with a point first: zstd says `(64-bit) v1.5.4`, a PostgreSQL to come `18devel`.
    const [version] = /\d+(\.\d+)+/.exec(said) ?? /\d+/.exec(said) ?? [];
    return version === undefined ? undefined : { tool: { path, version }, said };
  } catch (error) {
    // One that does not start (a library is gone) is as good as none.
    if (error instanceof BackupError && error.code === 'ProgramFailed') return undefined;
    throw error;
  }
}

function byVersion(one: Tool, other: Tool): number {
  return one.version.localeCompare(other.version, 'en', { numeric: true });
}
