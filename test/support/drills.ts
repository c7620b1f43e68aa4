import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.js';
import type { DrillResult } from '../../src/domain/verification.js';
import { drillDatabase, type DrillDatabaseInput } from '../../src/drill/drill-database.js';
import type { Tools } from '../../src/pipeline/tools.js';
import { factsOf } from './noise-file.js';
import type { Artifact } from './postgres-artifact.js';
import type { PostgresServer } from './postgres-server.js';
import { EVERY_KIND_ROLES_SQL, EVERY_KIND_SQL } from './postgres-every-kind.js';

/** Makes the database `every`, with each kind of object that pg_dump knows. */
export async function makeEveryKind(server: PostgresServer): Promise<void> {
  const extension = await server.psql(
    'postgres',
    `SELECT name FROM pg_available_extensions WHERE name IN ('hstore', 'vector') ORDER BY 1 LIMIT 1`,
  );
  await server.psql('postgres', EVERY_KIND_ROLES_SQL);
  await server.psql('postgres', 'CREATE DATABASE every OWNER lord');
  await server.psql('every', `\\set extension ${extension}\n${EVERY_KIND_SQL}`);
}

export function drillInput(
  { artifactPath, manifest }: Artifact,
  tools: Tools,
  changes: Partial<DrillDatabaseInput> = {},
): DrillDatabaseInput {
  return {
    path: artifactPath,
    manifest: manifest as Manifest,
    tools,
    scratchDir: tmpdir(),
    signal: new AbortController().signal,
    onProgress: () => {},
    log: () => {},
    ...changes,
  };
}

export function drill(...input: Parameters<typeof drillInput>): Promise<DrillResult> {
  return drillDatabase(drillInput(...input));
}

const run = promisify(execFile);

/** The globals of a server in a file that goes with the test. */
export async function dumpGlobals(server: PostgresServer, change = (sql: string) => sql): Promise<string> {
  const { bin, host, port, user, password } = server;
  const env = { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  const { stdout } = await run(join(bin, 'pg_dumpall'), ['--roles-only'], { env });
  const directory = await mkdtemp(join(tmpdir(), 'globals-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'globals.sql.gz');
  await writeFile(path, gzipSync(change(stdout)), { mode: 0o600 });
  return path;
}

/** The artifact with its SQL changed, and a manifest that fits. */
export async function changedArtifact(
  { artifactPath, manifest }: Artifact,
  change: (sql: string) => string,
): Promise<Artifact> {
  const bytes = gzipSync(change(gunzipSync(await readFile(artifactPath)).toString('latin1')));
  const path = `${artifactPath}.changed`;
  await writeFile(path, bytes);
  return { artifactPath: path, manifest: { ...manifest, artifact: { ...manifest.artifact, ...factsOf(bytes) } } };
}

/** A directory of a test, which the user of a drill's server can get to. */
export async function drillPlace(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'drills-'));
  await chmod(directory, 0o755);
  return directory;
}
