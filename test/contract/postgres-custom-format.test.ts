import { execFile } from 'node:child_process';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { proveArtifact } from '../../src/pipeline/prove.js';
import type { Tools } from '../../src/pipeline/tools.js';
import { captureDatabase } from '../../src/sources/postgres/capture.js';
import { restoreDatabase } from '../../src/sources/postgres/restore.js';
import {
  captureArtifact,
  captureInput,
  contentOf,
  loginTo,
  restoreInput,
  toolsWith,
} from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { countSessions, failureOf } from '../support/postgres-trouble.js';
import { postgresBin } from '../support/tools.js';

const run = promisify(execFile);
const custom = { dumpFormat: 'custom' as const };

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.psql('postgres', `CREATE ROLE owner; CREATE ROLE reader; CREATE DATABASE data OWNER owner`);
  await server.psql(
    'data',
    `CREATE TABLE noise AS SELECT i, md5(i::text) AS text FROM generate_series(1, 50000) i; ALTER TABLE noise OWNER TO owner;
     CREATE TABLE few AS SELECT 'a;b'::text t UNION SELECT E'\\\\.\\n'; CREATE INDEX ON noise (text); CREATE VIEW v AS SELECT * FROM few;
     GRANT SELECT ON few TO reader; SELECT lo_from_bytea(42, repeat('x', 100000)::bytea); ALTER DATABASE data SET work_mem = '7MB'`,
  );
});
afterAll(() => server.stop());

async function restored(into: string, how: { noOwner?: boolean; jobs?: number; tools?: Tools } = {}, tools?: Tools) {
  const login = { ...(await loginTo(server, 'data')), ...(tools && { tools }) };
  const artifact = await captureArtifact(login, custom);
  const { jobs, ...rest } = how;
  const input = { ...restoreInput(login, artifact, { into, ...rest }), ...(jobs !== undefined && { jobs }) };
  onTestFinished(() => server.psql('postgres', `DROP DATABASE IF EXISTS ${into}`).then(() => undefined));
  return restoreDatabase(input);
}

/** Tools whose only clients are of another major than the server. */
async function toolsOf(major: number): Promise<Tools> {
  const tools = await toolsWith({ bin: postgresBin(major) });
  return { ...tools, pgDumps: tools.pgDumps.filter((client) => client.major === major) };
}

test('a dump in custom format is one that pg_restore takes, and holds its compression', async () => {
  const told: number[] = [];
  const { artifactPath, manifest } = await captureArtifact(await loginTo(server, 'data'), {
    ...custom,
    onProgress: (bytes) => told.push(bytes),
  });
  const bytes = await readFile(artifactPath);
  expect(bytes.subarray(0, 5).toString()).toBe('PGDMP');
  expect(bytes.length).toBeLessThan(3_000_000);
  expect(told.at(-1)).toBe(bytes.length);
  expect(Object.keys(manifest.programs)).toEqual(['pg_dump']);
  const { stdout } = await run(`${server.bin}/pg_restore`, ['--list', artifactPath]);
  expect(stdout).toMatch(/TABLE DATA public noise/);
});

test.each([1, 4])('it comes back as it was, by %i at once', async (jobs) => {
  expect(await restored('back', { jobs })).toEqual({ warnings: [] });
  expect(await contentOf(server, 'back')).toEqual(await contentOf(server, 'data'));
  expect(await server.psql('back', 'SHOW work_mem')).toBe('7MB');
});

test('it comes back without owners and missing roles as plain SQL does', async () => {
  const login = await loginTo(server, 'data');
  const { artifactPath, manifest } = await captureArtifact(login, custom);
  const other = await startPostgres();
  onTestFinished(() => other.stop());
  const input = restoreInput(await loginTo(other, 'data'), { artifactPath, manifest }, { into: 'back', noOwner: true });
  expect((await restoreDatabase({ ...input, jobs: 4 })).warnings).toEqual([
    expect.stringMatching(/^left out \d+ statements/),
  ]);
  expect(await other.psql('back', 'SELECT count(*) FROM noise')).toBe('50000');
});

test('the first error ends a restore, and what was made is gone', async () => {
  const login = await loginTo(server, 'data');
  await server.psql('postgres', 'CREATE DATABASE broken');
  onTestFinished(() => server.psql('postgres', 'DROP DATABASE broken').then(() => undefined));
  await server.psql(
    'broken',
    `CREATE FUNCTION ok(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i';
     CREATE TABLE t AS SELECT 1 AS i; CREATE INDEX bad ON t (ok(i)); CREATE TABLE other AS SELECT 2 AS i;
     CREATE OR REPLACE FUNCTION ok(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''no''; END'`,
  );
  const artifact = await captureArtifact(await loginTo(server, 'broken'), custom);
  const error = await failureOf(restoreDatabase({ ...restoreInput(login, artifact, { into: 'back' }), jobs: 4 }));
  expect(error).toMatchObject({ code: 'ProgramFailed' });
  expect((error as Error).message).toMatch(/cannot restore .*could not execute query: ERROR: {2}no/);
  expect(await server.psql('postgres', `SELECT count(*) FROM pg_database WHERE datname ~ 'back'`)).toBe('0');
});

test('bytes that are not those of the manifest make no database', async () => {
  const login = await loginTo(server, 'data');
  const { artifactPath, manifest } = await captureArtifact(login, custom);
  const other = { ...manifest, artifact: { ...manifest.artifact, sha256: '0'.repeat(64) } };
  const input = restoreInput(login, { artifactPath, manifest: other }, { into: 'back' });
  expect(await failureOf(restoreDatabase(input))).toMatchObject({ code: 'Damaged' });
  expect(await server.psql('postgres', `SELECT count(*) FROM pg_database WHERE datname ~ 'back'`)).toBe('0');
});

test('one that is cut, or of which a byte is another one, is not accepted', async () => {
  const login = await loginTo(server, 'data');
  const { artifactPath: path, manifest } = await captureArtifact(login, custom);
  const whole = await readFile(path);
  const prove = () =>
    failureOf(proveArtifact({ path, kind: 'database', compression: 'gzip', ...custom, tools: login.tools }));
  for (const length of [0, 4, 500, Math.floor(whole.length / 2), whole.length - 2_000]) {
    await writeFile(path, whole);
    await truncate(path, length);
    expect(await prove(), `cut to ${String(length)}`).toMatchObject({ code: 'Damaged' });
  }
  const middle = Math.floor(whole.length / 2);
  await writeFile(path, whole.with(middle, (whole[middle] ?? 0) ^ 255));
  expect(await prove()).toMatchObject({ code: 'Damaged' });
  await writeFile(path, whole);
  const facts = await proveArtifact({ path, kind: 'database', compression: 'gzip', ...custom, tools: login.tools });
  expect(facts.sha256).toBe(manifest.artifact.sha256);
});

test('a full disk is told as that, and an aborted dump leaves nothing running', async () => {
  const input = { ...(await captureInput(await loginTo(server, 'data'))), ...custom };
  expect(await failureOf(captureDatabase({ ...input, partPath: '/dev/full' }))).toMatchObject({ code: 'DiskFull' });
  const stop = new AbortController();
  stop.abort();
  expect(await failureOf(captureDatabase({ ...input, signal: stop.signal }))).toMatchObject({ code: 'Cancelled' });
  expect(await countSessions(server)).toBe(0);
});

test.each(['plain', 'custom'] as const)(
  'a %s dump by a newer client comes back on its own server',
  async (dumpFormat) => {
    const login = { ...(await loginTo(server, 'data')), tools: await toolsOf(18) };
    const artifact = await captureArtifact(login, { dumpFormat });
    expect(artifact.manifest.programs['pg_dump']).toMatch(/^18/);
    onTestFinished(() => server.psql('postgres', `DROP DATABASE IF EXISTS back`).then(() => undefined));
    await restoreDatabase({ ...restoreInput(login, artifact, { into: 'back' }), jobs: 4 });
    expect(await contentOf(server, 'back')).toEqual(await contentOf(server, 'data'));
  },
);
