import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drillGlobals } from '../../src/drill/drill-globals.js';
import { captureGlobals, type CapturedGlobals } from '../../src/sources/postgres/globals.js';
import { testDirectory } from '../support/config-file.js';
import { toolsWith } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

const PASSWORD = 'test password';
let server: PostgresServer;
let facts: CapturedGlobals;
let sql: string;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql(
    'postgres',
    `CREATE ROLE plain LOGIN PASSWORD '${PASSWORD}' CONNECTION LIMIT 3 VALID UNTIL '2030-01-01';
     CREATE ROLE ring; CREATE ROLE "S'auron ""é\n\\" SUPERUSER IN ROLE ring; GRANT ring TO plain WITH ADMIN OPTION;
     ALTER ROLE plain SET work_mem = '7MB'; COMMENT ON ROLE ring IS 'one; to rule'`,
  );
  const path = join(testDirectory(), 'globals.sql.gz');
  await writeFile(path, '', { mode: 0o600 });
  const { host, port } = server;
  const connection = { host, port, user: 'postgres', database: 'postgres' };
  const logins = [{ name: 'a', connection }];
  const tools = await toolsWith(server);
  facts = await captureGlobals({
    ...{ target: 'globals:db-5432', logins, partPath: path, compression: 'gzip', level: 6, tools },
    passwordOf: () => PASSWORD,
  });
  sql = gunzipSync(await readFile(path)).toString();
});
afterAll(() => server.stop());

/** A drill of globals with another text. */
async function drilled(text: string, changes: Partial<CapturedGlobals> = {}) {
  const [path, scratchDir] = [join(testDirectory(), 'globals.sql.gz'), testDirectory()];
  await writeFile(path, gzipSync(text));
  const { signal } = new AbortController();
  const manifest = { ...facts, ...changes };
  return drillGlobals({ path, manifest, tools: await toolsWith(server), scratchDir, signal, log: () => undefined });
}

test('roles, settings, comments and memberships come back as they were', async () => {
  expect(await drilled(sql)).toMatchObject({ outcome: 'verified', notes: [], restoreMs: expect.any(Number) as number });
});

test('a statement without effect, and one that fails, fail the drill, and neither tells a password', async () => {
  const hash = /SCRAM-SHA-256\$[^']+/.exec(sql)?.[0] ?? 'none';
  const undone = await drilled(
    sql.replace('-- PostgreSQL database cluster dump complete', 'ALTER ROLE plain NOLOGIN;'),
  );
  expect(undone).toMatchObject({ outcome: 'failed' });
  expect(undone.reason).toMatch(/not made again: ALTER ROLE plain WITH; .*made beside it: ALTER ROLE plain WITH/);
  const broken = await drilled(sql.replace('CREATE ROLE ring;', ''));
  expect(broken).toMatchObject({
    outcome: 'failed',
    reason: expect.stringContaining('role "ring" does not exist') as string,
  });
  expect(JSON.stringify([undone, broken])).not.toContain(hash);
});

test('without a server of that version they are unverified', async () => {
  const server19 = { product: 'PostgreSQL', version: '19.0', versionNumber: 190_000 } as const;
  const { outcome, reason } = await drilled(sql, { server: server19, programs: {} });
  expect({ outcome, reason }).toEqual({
    outcome: 'unverified',
    reason: expect.stringContaining('PostgreSQL 19') as string,
  });
});
