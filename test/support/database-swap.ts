import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  restoreDatabase,
  type RestoredDatabase,
  type RestoreDatabaseInput,
} from '../../src/sources/postgres/restore.js';
import { keptCommands } from '../../src/steps/kept-database.js';
import type { Tools } from '../../src/pipeline/tools.js';
import { withSession } from '../../src/sources/postgres/connection.js';
import { swapDatabases, type SwapInput } from '../../src/sources/postgres/swap.js';
import { captureArtifact, databasesOf, loginTo, restoreInput, type Artifact } from './postgres-artifact.js';
import { startPostgres, type PostgresServer } from './postgres-server.js';

export const SUFFIX = '_before_20261124_030000';
export const KEPT = `mordor${SUFFIX}`;
export const TOKEN = '1a2b3c4d';

/** A server with the database `mordor`, whose age is `now`, and its artifact from when that was `then`. */
export interface SwapGround {
  server: PostgresServer;
  artifact: Artifact;
  close(): Promise<void>;
}

export async function swapGround(major: number): Promise<SwapGround> {
  const directory = await mkdtemp(join(tmpdir(), 'in-place-'));
  const server = await startPostgres({ major, settings: { wal_level: 'logical', max_prepared_transactions: '4' } });
  await server.psql('postgres', `CREATE DATABASE mordor; COMMENT ON DATABASE mordor IS 'the dark land'`);
  await server.psql(
    'mordor',
    `CREATE TABLE hits (at timestamptz DEFAULT clock_timestamp()); CREATE TABLE age AS SELECT 'then'::text AS value`,
  );
  const artifact = await captureArtifact(await loginTo(server, 'mordor'), { directory });
  await server.psql('mordor', `UPDATE age SET value = 'now'`);
  return {
    ...{ server, artifact },
    async close() {
      await server.stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** An attempt of a restore in place of `mordor`. */
export async function attemptSwap(
  { server, artifact }: SwapGround,
  changes: Partial<RestoreDatabaseInput> = {},
): Promise<RestoredDatabase> {
  const input = restoreInput(await loginTo(server, 'postgres'), artifact, { into: 'mordor' });
  return restoreDatabase({ ...input, replaces: { restoreToken: TOKEN, suffixes: [SUFFIX] }, ...changes });
}

/** The swap alone, of `mordor` and a database that was made for it, whose age is `then`. */
export async function swapOnly(
  { server, artifact }: SwapGround,
  { tools, ...changes }: Partial<SwapInput> & { tools?: Tools } = {},
): Promise<string> {
  await server.psql('postgres', 'CREATE DATABASE made');
  await server.psql('made', `CREATE TABLE age AS SELECT 'then'::text AS value`);
  const oid = await server.psql('postgres', `SELECT oid FROM pg_database WHERE datname = 'mordor'`);
  const properties = artifact.manifest.database;
  if (properties === undefined) throw new Error('the manifest has no properties');
  const input = { into: 'mordor', name: 'made', oid, keptAs: KEPT, restoreToken: TOKEN, properties, ...changes };
  try {
    const login = await loginTo(server, 'postgres');
    return await withSession({ ...login, ...(tools && { tools }) }, (session) => swapDatabases(session, input));
  } finally {
    await server.psql('postgres', 'DROP DATABASE IF EXISTS made');
  }
}

export async function ageOf({ server }: SwapGround, database = 'mordor'): Promise<string> {
  return server.psql(database, 'SELECT value FROM age');
}

/** What every fault has to leave: all as it was. */
export async function expectAsItWas(ground: SwapGround): Promise<void> {
  expect(await databasesOf(ground.server)).toEqual(['mordor']);
  expect(await ageOf(ground)).toBe('now');
}

/** What a restore in place has to leave. Afterwards all is as it was, by the words that people are told. */
export async function expectSwappedAndGoBack(ground: SwapGround): Promise<void> {
  const { server } = ground;
  expect(await databasesOf(server)).toEqual(['mordor', KEPT]);
  expect(await ageOf(ground)).toBe('then');
  await expect(server.psql(KEPT, 'SELECT 1')).rejects.toThrow('is not currently accepting connections');
  const { goBack } = keptCommands({ into: 'mordor', keptAs: KEPT, user: server.user });
  await server.psql('postgres', goBack);
  await server.psql('postgres', `DROP DATABASE ${KEPT.replace('before', 'after')}`);
  await expectAsItWas(ground);
  expect(await server.psql('postgres', 'SELECT count(*) FROM pg_db_role_setting')).toBe('0');
}
