import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { DatabaseProperties, Manifest } from '../../src/domain/manifest.js';
import { proveArtifact } from '../../src/pipeline/prove.js';
import { findPostgresServers, findTools, type Tools } from '../../src/pipeline/tools.js';
import { captureDatabase, type CaptureDatabaseInput } from '../../src/sources/postgres/capture.js';
import { withSession, type DatabaseLogin } from '../../src/sources/postgres/connection.js';
import { readProperties } from '../../src/sources/postgres/properties.js';
import { restoreDatabase, type RestoreDatabaseInput } from '../../src/sources/postgres/restore.js';
import type { PostgresServer } from './postgres-server.js';

const run = promisify(execFile);

export type PostgresAddress = Pick<PostgresServer, 'host' | 'port' | 'user' | 'password'>;

/** What is wanted of a captured database to restore it. */
export interface Artifact {
  artifactPath: string;
  manifest: Pick<Manifest, 'artifact' | 'database' | 'roles' | 'source' | 'programs' | 'server' | 'warnings'>;
}

const foundTools = new Map<string, Tools>();

/** Tools as they are found with the clients, and the server, of a test server's major first in PATH. */
export async function toolsWith({
  bin,
  serverBin,
}: Pick<PostgresServer, 'bin'> & { serverBin?: string }): Promise<Tools> {
  const before = process.env['PATH'] ?? '';
  const path = [bin, serverBin, before].filter(Boolean).join(':');
  const found = foundTools.get(path);
  if (found !== undefined) return found;
  process.env['PATH'] = path;
  try {
    const tools = { ...(await findTools()), pgServers: await findPostgresServers() };
    foundTools.set(path, tools);
    return tools;
  } finally {
    process.env['PATH'] = before;
  }
}

/** The login of a server's superuser to one of its databases. */
export async function loginTo(server: PostgresServer, database: string): Promise<DatabaseLogin & { tools: Tools }> {
  const { host, port, user, password } = server;
  return { target: 'target', connection: { host, port, user, database }, password, tools: await toolsWith(server) };
}

/** The input of a capture into an empty file, by default in a directory that goes with the test. */
export async function captureInput(login: DatabaseLogin, directory?: string): Promise<CaptureDatabaseInput> {
  directory ??= await temporaryDirectory();
  const partPath = join(directory, 'target.sql.gz.part');
  await writeFile(partPath, '', { mode: 0o600 });
  return { ...login, compression: 'gzip', level: 1, partPath };
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'capture-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Captures and proves. */
export async function captureArtifact(
  login: DatabaseLogin,
  changes: Partial<CaptureDatabaseInput> & { directory?: string } = {},
): Promise<Artifact> {
  const { directory, ...rest } = changes;
  const input = { ...(await captureInput(login, directory)), ...rest };
  const { partPath: path, compression, dumpFormat, level, tools } = input;
  const captured = await captureDatabase(input);
  const facts = await proveArtifact({ path, kind: 'database', compression, dumpFormat, tools });
  const artifact = {
    name: 'target.sql.gz',
    compression,
    compressionLevel: level,
    ...(dumpFormat === 'custom' && { dumpFormat }),
    ...facts,
  };
  return { artifactPath: path, manifest: { ...captured, artifact } };
}

export function restoreInput(
  login: DatabaseLogin,
  { artifactPath, manifest }: Artifact,
  { into, noOwner = false }: { into: string; noOwner?: boolean },
): RestoreDatabaseInput {
  return { ...login, into, artifactPath, manifest, noOwner };
}

export async function restore(...[login, artifact, how]: Parameters<typeof restoreInput>): Promise<string[]> {
  return (await restoreDatabase(restoreInput(login, artifact, how))).warnings;
}

/** All rows as multisets, large objects and sequences, and the schema as pg_dump spells it. */
export async function contentOf(server: PostgresServer, database: string): Promise<Record<string, string>> {
  const tables = await server.psql(
    database,
    `SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'm') AND oid >= 16384
     AND relnamespace NOT IN ('pg_toast'::regnamespace) ORDER BY 1::text COLLATE "C"`,
  );
  const content: Record<string, string> = { schema: await schemaOf(server, database) };
  for (const table of tables.split('\n').filter(Boolean)) content[table] = await server.psql(database, rowsSql(table));
  content['large objects'] = await server.psql(
    database,
    'SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1',
  );
  content['sequences'] = await server.psql(
    database,
    'SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2',
  );
  return content;
}

function rowsSql(table: string): string {
  return `SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C")) FROM ${table} t`;
}

async function schemaOf({ bin, host, port, user, password }: PostgresServer, database: string): Promise<string> {
  const env = {
    ...process.env,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  };
  const { stdout } = await run(join(bin, 'pg_dump'), ['--schema-only'], { env, maxBuffer: 64 * 1024 * 1024 });
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '');
}

export async function propertiesOf(server: PostgresServer, database: string): Promise<DatabaseProperties> {
  return withSession(await loginTo(server, database), readProperties);
}

/** All databases that the server was not born with, sorted. */
export async function databasesOf(server: PostgresServer): Promise<string[]> {
  const sql = `SELECT jsonb_agg(datname ORDER BY datname) FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')`;
  return (JSON.parse((await server.psql('template1', sql)) || '[]') as string[]).sort();
}
