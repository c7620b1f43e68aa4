import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { findTools } from '../../src/pipeline/tools.js';
import { captureDatabase, describeDatabase } from '../../src/sources/postgres/capture.js';
import { captureArtifact, captureInput, loginTo, toolsWith } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { capturesOf, countSessions, failureOf, fakePgDump, HOSTILE_PASSWORD } from '../support/postgres-trouble.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ user: `us'er "x"`, password: HOSTILE_PASSWORD });
  await server.psql('postgres', 'CREATE DATABASE data');
  await server.psql('data', `CREATE TABLE noise AS SELECT i, md5(i::text) AS text FROM generate_series(1, 200000) i`);
});
afterAll(() => server.stop());

test('a capture records what it is of and what made it', async () => {
  const login = await loginTo(server, 'data');
  const told: number[] = [];
  const { artifactPath, manifest } = await captureArtifact(login, { onProgress: (bytes) => told.push(bytes) });
  const systemIdentifier = await server.psql('postgres', 'SELECT system_identifier FROM pg_control_system()');
  expect(manifest.source).toEqual({ kind: 'database', systemIdentifier, database: 'data' });
  expect(manifest.server?.version).toBe(await server.psql('postgres', 'SHOW server_version'));
  expect(Object.keys(manifest.programs).sort()).toEqual(['bgzip', 'pg_dump']);
  expect(told.at(-1)).toBe((await stat(artifactPath)).size);
  expect((await stat(artifactPath)).mode & 0o777).toBe(0o600);
  const { artifact: _artifact, ...described } = manifest;
  expect(await describeDatabase({ ...login, compression: 'gzip' })).toEqual(described);
});

test('all that a capture asks the server, it asks in one session', async () => {
  const { tools, ...login } = await loginTo(server, 'data');
  const { psql } = tools;
  if (psql === undefined) throw new Error('there is no psql');
  const directory = await mkdtemp(join(tmpdir(), 'counted-psql-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const counted = join(directory, 'psql');
  await writeFile(counted, `#!/bin/sh\necho started >> ${directory}/calls\nexec ${psql.path} "$@"\n`, { mode: 0o755 });
  await captureArtifact({ ...login, tools: { ...tools, psql: { ...psql, path: counted } } });
  expect(await readFile(join(directory, 'calls'), 'utf8')).toBe('started\n');
});

test('gunzip and psql alone restore it', async () => {
  const { artifactPath } = await captureArtifact(await loginTo(server, 'data'));
  await server.psql('postgres', 'CREATE DATABASE by_hand');
  const { stdout: sql } = await run('gunzip', ['-c', artifactPath], { maxBuffer: 1e9 });
  await server.psql('by_hand', sql);
  const rows = 'SELECT count(*), md5(string_agg(noise::text, ORDER_BY)) FROM noise'.replace(
    'ORDER_BY',
    `'' ORDER BY i`,
  );
  expect(await server.psql('by_hand', rows)).toBe(await server.psql('data', rows));
});

test('a server newer than every client names the package, on a real server', async () => {
  const young = await startPostgres({ major: 18 });
  onTestFinished(() => young.stop());
  const { pgDumps, ...rest } = await toolsWith(server);
  const tools = { ...rest, pgDumps: pgDumps.filter(({ major }) => major < 18) };
  expect(tools.pgDumps).not.toEqual([]);
  const error = await failureOf(captureDatabase({ ...(await captureInput(await loginTo(young, 'postgres'))), tools }));
  expect(error).toMatchObject({
    code: 'ProgramMissing',
    hint: expect.stringContaining('postgresql-client-18') as string,
  });
});

test('a full disk is told as that, and pg_dump is gone', async () => {
  const input = await captureInput(await loginTo(server, 'data'));
  const error = await failureOf(captureDatabase({ ...input, partPath: '/dev/full' }));
  expect(error).toMatchObject({ code: 'DiskFull', retryable: true });
  await waitFor('pg_dump to be gone', async () => (await countSessions(server)) === 0);
});

test('a full disk does not wait for a pg_dump that says no more', async () => {
  await fakePgDump(server, 'head -c 10000000 /dev/urandom; exec sleep 1000');
  const input = await captureInput({ ...(await loginTo(server, 'data')), tools: await findTools() });
  await expect(captureDatabase({ ...input, partPath: '/dev/full' })).rejects.toMatchObject({ code: 'DiskFull' });
});

test('an aborted capture has ended its programs when it rejects', async () => {
  await fakePgDump(server, 'exec cat /dev/urandom');
  const stop = new AbortController();
  const before = await capturesOf(process.pid);
  const input = await captureInput({ ...(await loginTo(server, 'data')), tools: await findTools() });
  const capture = captureDatabase({ ...input, signal: stop.signal });
  await waitFor('bytes in the part', async () => (await stat(input.partPath)).size > 0).finally(() => stop.abort());
  await expect(capture).rejects.toMatchObject({ code: 'Cancelled' });
  expect(await capturesOf(process.pid)).toEqual(before);
  await waitFor('its connection to be gone', async () => (await countSessions(server)) === 0);
});
