import { execFileSync } from 'node:child_process';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, afterAll, expect, test } from 'vitest';
import { restoreDatabase } from '../../src/sources/postgres/restore.js';
import { factsOf } from '../support/noise-file.js';
import {
  captureArtifact,
  databasesOf,
  loginTo,
  restore,
  restoreInput,
  type Artifact,
} from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { waitFor } from '../support/wait-for.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.psql('postgres', 'CREATE DATABASE data');
  await server.psql('data', `CREATE TABLE noise AS SELECT i, md5(i::text) AS text FROM generate_series(1, 100000) i`);
});
afterAll(() => server.stop());
afterEach(async () => {
  expect(await databasesOf(server)).toEqual(['data']);
});

/** The artifact of `data` with its SQL changed, and a manifest that fits. */
async function changedArtifact(change: (sql: string) => string): Promise<Artifact> {
  const artifact = await captureArtifact(await loginTo(server, 'data'));
  const sql = execFileSync('gunzip', ['-c', artifact.artifactPath], { maxBuffer: 1e9 }).toString();
  const bytes = execFileSync('gzip', ['-c'], { input: change(sql), maxBuffer: 1e9 });
  await writeFile(artifact.artifactPath, bytes);
  return {
    ...artifact,
    manifest: { ...artifact.manifest, artifact: { ...artifact.manifest.artifact, ...factsOf(bytes) } },
  };
}

const END = '-- PostgreSQL database dump complete';

test.each([false, true])('an SQL error ends the restore and leaves no database (no owner: %s)', async (noOwner) => {
  const artifact = await changedArtifact((sql) =>
    sql.replace(END, `INSERT INTO public.noise VALUES ('not a number', 'x');\n${END}`),
  );
  await expect(restore(await loginTo(server, 'data'), artifact, { into: 'copy', noOwner })).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringMatching(
      /^cannot restore target .*_restoring_.*: because ERROR: +invalid input syntax for type integer: "not a number"/,
    ) as string,
  });
});

test.each([false, true])(
  'an early SQL error is told, not the decompressor that could not write on (no owner: %s)',
  async (noOwner) => {
    const artifact = await changedArtifact((sql) => `SELECT 1 / 0;\n${sql}`);
    await expect(restore(await loginTo(server, 'data'), artifact, { into: 'copy', noOwner })).rejects.toThrow(
      /because ERROR: +division by zero/,
    );
  },
);

test('an artifact that is taken is not touched', async () => {
  const artifact = await captureArtifact(await loginTo(server, 'data'));
  await expect(restore(await loginTo(server, 'data'), artifact, { into: 'data' })).rejects.toMatchObject({
    code: 'Conflict',
    message: expect.stringMatching(
      /^cannot restore into data: because that database exists on 127\.0\.0\.1:/,
    ) as string,
    hint: expect.stringContaining('--into') as string,
    retryable: false,
  });
});

test('a name that the server would cut is refused', async () => {
  const artifact = await captureArtifact(await loginTo(server, 'data'));
  for (const into of ['', 'x'.repeat(64), 'é'.repeat(32)]) {
    await expect(restore(await loginTo(server, 'data'), artifact, { into })).rejects.toMatchObject({
      code: 'ConfigInvalid',
    });
  }
});

test.each([false, true])(
  'a cut artifact leaves no database, though psql takes its half for a whole (no owner: %s)',
  async (noOwner) => {
    const artifact = await captureArtifact(await loginTo(server, 'data'));
    await truncate(artifact.artifactPath, Math.floor(artifact.manifest.artifact.sizeBytes / 2));
    await expect(restore(await loginTo(server, 'data'), artifact, { into: 'copy', noOwner })).rejects.toMatchObject({
      message: expect.stringMatching(/because (bgzip ended with code 1|the bytes of)/) as string,
    });
  },
);

test('bytes that are not those of the manifest leave no database', async () => {
  const artifact = await captureArtifact(await loginTo(server, 'data'));
  const other = await changedArtifact((sql) => sql.replace('1\tc4ca', '1\txxxx'));
  await writeFile(artifact.artifactPath, await readFile(other.artifactPath));
  await expect(restore(await loginTo(server, 'data'), artifact, { into: 'copy' })).rejects.toMatchObject({
    code: 'Damaged',
    message: expect.stringContaining('are not those that its manifest names') as string,
  });
});

test.each([false, true])('an abort in the middle leaves no database and no session (no owner: %s)', async (noOwner) => {
  const artifact = await changedArtifact((sql) => sql.replace(END, `SELECT pg_sleep(1000);\n${END}`));
  const stop = new AbortController();
  const input = restoreInput(await loginTo(server, 'data'), artifact, { into: 'copy', noOwner });
  const restoring = restoreDatabase({ ...input, signal: stop.signal });
  const sleeping = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(1000)%'`;
  await waitFor('the restore to be in the middle', async () => (await server.psql('postgres', sleeping)) === '1');
  stop.abort();
  await expect(restoring).rejects.toMatchObject({ code: 'Cancelled' });
  expect(await server.psql('postgres', sleeping)).toBe('0');
});

test('a database that is made meanwhile under that name is not replaced', async () => {
  const artifact = await changedArtifact((sql) => sql.replace(END, `SELECT pg_sleep(1000);\n${END}`));
  const restoring = restore(await loginTo(server, 'data'), artifact, { into: 'copy' });
  const sleeping = `FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(1000)%'`;
  await waitFor(
    'the restore to be in the middle',
    async () => (await server.psql('postgres', `SELECT count(*) ${sleeping}`)) === '1',
  );
  await server.psql('postgres', 'CREATE DATABASE copy');
  await server.psql('postgres', `SELECT pg_cancel_backend(pid) ${sleeping}`);
  await expect(restoring).rejects.toThrow(/canceling statement due to user request/);
  expect(await databasesOf(server)).toEqual(['copy', 'data']);
  await server.psql('postgres', 'DROP DATABASE copy');
});

test('a server that ends in the middle is told, with what it may have kept', async () => {
  const artifact = await changedArtifact((sql) => sql.replace(END, `SELECT pg_sleep(1000);\n${END}`));
  const own = await startPostgres();
  try {
    const restoring = restore(await loginTo(own, 'data'), artifact, { into: 'copy' });
    const sleeping = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(1000)%'`;
    await waitFor('the restore to be in the middle', async () => (await own.psql('postgres', sleeping)) === '1');
    restoring.catch(() => undefined);
    await own.kill();
    await expect(restoring).rejects.toMatchObject({
      code: 'ServerUnreachable',
      hint: expect.stringMatching(/drop the unfinished database copy_restoring_[0-9a-f]{8}/) as string,
    });
  } finally {
    await own.stop();
  }
});

test('progress is told up to the size of the artifact', async () => {
  const artifact = await captureArtifact(await loginTo(server, 'data'));
  const told: number[] = [];
  const input = restoreInput(await loginTo(server, 'data'), artifact, { into: 'copy' });
  await restoreDatabase({ ...input, onProgress: (bytes) => told.push(bytes) });
  expect(told.at(-1)).toBe(artifact.manifest.artifact.sizeBytes);
  await server.psql('postgres', 'DROP DATABASE copy');
});
