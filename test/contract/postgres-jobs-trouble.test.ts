import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { findTools } from '../../src/pipeline/tools.js';
import { captureDatabase } from '../../src/sources/postgres/capture.js';
import { captureArtifact, captureInput, loginTo } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { countSessions, failureOf, fakePgDump } from '../support/postgres-trouble.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const TABLES = ['first', 'second', 'third'];

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.psql('postgres', 'CREATE DATABASE data');
  for (const [index, table] of TABLES.entries()) {
    const rows = `generate_series(1, ${String(60_000 - 10_000 * index)}) i`;
    await server.psql('data', `CREATE TABLE ${table} AS SELECT i, md5(i::text) AS text FROM ${rows}`);
  }
});
afterAll(() => server.stop());

/** Puts a program first in PATH until the test ends; in its script `$REAL` is the one that it stands for. */
async function fakeProgram(name: string, script: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-'));
  const { stdout } = await run('sh', ['-c', `command -v ${name}`]);
  const version = '[ "$1" = --version ] && exec "$REAL" --version';
  await writeFile(
    join(directory, name),
    `#!/bin/bash\nREAL=${stdout.trim()}\ncd "$(dirname "$0")"\n${version}\n${script}\n`,
  );
  await chmod(join(directory, name), 0o755);
  vi.stubEnv('PATH', [directory, process.env['PATH']].join(delimiter));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return directory;
}

/** Compressors that wait, each once it has rows, until `release`. */
async function heldCompressors() {
  const directory = await fakeProgram(
    'bgzip',
    'touch "held.$$"; until [ -e go ]; do sleep 0.02; done; exec "$REAL" "$@"',
  );
  const held = async () => (await readdir(directory)).filter((name) => name.startsWith('held.'));
  return {
    reached: () => waitFor('both jobs to be held', async () => (await held()).length === 2),
    pids: async () => (await held()).map((name) => name.slice('held.'.length)),
    release: () => writeFile(join(directory, 'go'), ''),
  };
}

const login = async () => ({ ...(await loginTo(server, 'data')), tools: await findTools() });
const jobs = { jobs: 2 };

async function textOf(path: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'exec gzip -dc < "$0"', path], { maxBuffer: 1e9 });
  return stdout.replaceAll(/^(\\(?:un)?restrict) .*$/gm, '$1');
}

/** A session that runs SQL, and says when it is done. */
function background(sql: string): { isDone: () => boolean; done: Promise<void> } {
  let ended = false;
  const done = server.psql('data', sql).then(() => {
    ended = true;
  });
  return { isDone: () => ended, done };
}

async function waiting(): Promise<number> {
  const sql = `SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted`;
  return Number(await server.psql('data', sql));
}

test('what others do while jobs are at work is not in the dump', async () => {
  const before = await textOf((await captureArtifact(await login())).artifactPath);
  const hold = await heldCompressors();
  const capture = captureArtifact(await login(), jobs);
  await hold.reached();
  await server.psql(
    'data',
    'INSERT INTO third SELECT -i FROM generate_series(1, 1000) i; DELETE FROM second WHERE i % 2 = 0; CREATE TABLE fourth ()',
  );
  const truncated = background('BEGIN; TRUNCATE first; ROLLBACK');
  await waitFor('that to wait', async () => (await waiting()) === 1);
  expect(truncated.isDone()).toBe(false);
  await hold.release();
  const { artifactPath, manifest } = await capture;
  await truncated.done;
  expect((await textOf(artifactPath)) === before).toBe(true);
  expect(manifest.warnings).toEqual([]);
});

test('where another session waits for a table that no job has come to, one job dumps all, with a warning', async () => {
  const hold = await heldCompressors();
  const capture = captureArtifact(await login(), jobs);
  await hold.reached();
  const other = background('BEGIN; LOCK TABLE third; ALTER TABLE third ALTER COLUMN i SET NOT NULL; COMMIT');
  await waitFor('the lock to be waited for', async () => (await waiting()) === 1);
  await hold.release();
  const { artifactPath, manifest } = await capture;
  await other.done;
  expect(manifest.warnings).toEqual([expect.stringMatching(/^dumped by one job instead of 2: another session waits/)]);
  expect((await textOf(artifactPath)) === (await textOf((await captureArtifact(await login())).artifactPath))).toBe(
    true,
  );
});

test('where the server has no connection for each job, one job dumps all, with a warning', async () => {
  await server.psql('data', `CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 2 IN ROLE pg_read_all_data`);
  const { connection, ...rest } = await login();
  const few = { ...rest, connection: { ...connection, user: 'few' }, password: 'few' };
  const { manifest } = await captureArtifact(few, { jobs: 3 });
  expect(manifest.warnings).toEqual([expect.stringMatching(/^dumped by one job instead of 3: the server has no conn/)]);
});

test('where no pipes can be made, one job dumps all, with a warning', async () => {
  await fakeProgram('mkfifo', 'exit 1');
  const { manifest } = await captureArtifact(await login(), jobs);
  expect(manifest.warnings).toEqual([expect.stringMatching(/^dumped by one job instead of 2: no pipes can be made/)]);
});

test('where pg_dump comes to rows before their pipes are there, one job dumps all, with a warning', async () => {
  const isOfJobs = '[[ " $* " == *" --format=directory "* ]] || exec "$REAL" "$@"';
  const made = 'file=${*: -1}; file=${file#--file=}; for pipe in "${file%dump}"pipes/*; do >"$file/${pipe##*/}"; done';
  const directory = await fakePgDump(server, `${isOfJobs}; ${made}; echo 'pg_dump: dumping' >&2; exec sleep 300`);
  await symlink(join(server.bin, 'pg_restore'), join(directory, 'pg_restore'));
  const { manifest } = await captureArtifact(await login(), jobs);
  expect(manifest.warnings).toEqual([
    'dumped by one job instead of 2: pg_dump came to rows before their pipes were there',
  ]);
});

test.each([
  [
    'pg_dump that exits 1 after all of its output',
    '"$REAL" "$@"; echo "pg_dump: error: oops" >&2; exit 1',
    /because oops$/,
  ],
  ['pg_dump that is killed after all of its output', '"$REAL" "$@"; kill -KILL $$', /pg_dump was ended by SIGKILL/],
])('a %s is no success', async (_what, script, message) => {
  const isOfJobs = '[[ " $* " == *" --format=directory "* ]] || exec "$REAL" "$@"';
  const directory = await fakePgDump(server, `${isOfJobs}; ${script}`);
  await symlink(join(server.bin, 'pg_restore'), join(directory, 'pg_restore'));
  const input = { ...(await captureInput(await login())), ...jobs };
  expect((await failureOf(captureDatabase(input))).message).toMatch(message);
  expect(await readdir(dirname(input.partPath))).toEqual(['target.sql.gz.part']);
});

test.each(['exit 3', 'head -c 100000 >/dev/null; exit 3', 'cat >/dev/null; exit 3'])(
  'a compressor that does `%s` is no success, and ends all',
  async (script) => {
    await fakeProgram('bgzip', script);
    const error = await failureOf(captureDatabase({ ...(await captureInput(await login())), ...jobs }));
    expect(error.message).toMatch(/cannot compress: because .* ended with code 3/);
    await waitFor('pg_dump to be gone', async () => (await countSessions(server)) === 0);
  },
);

test('a full disk is told as that, and leaves nothing', async () => {
  const input = { ...(await captureInput(await login())), level: 0, ...jobs };
  const directory = join(dirname(input.partPath), 'small');
  await mkdir(directory);
  await mountSmallDisk({ onTestFinished }, directory, 2);
  const { partPath } = await captureInput(input, directory);
  expect(await failureOf(captureDatabase({ ...input, partPath }))).toMatchObject({ code: 'DiskFull', retryable: true });
  expect(await readdir(directory)).toEqual(['target.sql.gz.part']);
  await waitFor('pg_dump to be gone', async () => (await countSessions(server)) === 0);
});

test('an aborted capture has ended its programs when it rejects', async () => {
  const hold = await heldCompressors();
  const stop = new AbortController();
  const input = await captureInput(await login());
  const capture = captureDatabase({ ...input, ...jobs, signal: stop.signal });
  const failure = failureOf(capture);
  await hold.reached();
  stop.abort();
  expect(await failure).toMatchObject({ code: 'Cancelled' });
  expect(await programsWith(dirname(input.partPath))).toEqual([]);
  expect(await readdir(dirname(input.partPath))).toEqual(['target.sql.gz.part']);
  await waitFor('its connections to be gone', async () => (await countSessions(server)) === 0);
});

test('kill -9 of the process ends all jobs and compressors', async () => {
  const hold = await heldCompressors();
  const { signal: _signal, ...input } = { ...(await captureInput(await login())), ...jobs };
  const capture = new URL('../../src/sources/postgres/capture.ts', import.meta.url).href;
  const script = `
    import { json } from 'node:stream/consumers';
    import { captureDatabase } from ${JSON.stringify(capture)}; await captureDatabase(await json(process.stdin));`;
  const child = spawn('node', ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(JSON.stringify(input));
  await hold.reached();
  const directory = dirname(input.partPath);
  const compressors = await hold.pids();
  expect((await programsWith(directory)).length).toBe(4); // pg_dump, its two jobs, and who waits for the third table
  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitFor('all programs to be gone', async () => (await programsWith(directory)).length === 0);
  await waitFor('the compressors to be gone', () => !compressors.some((pid) => existsSync(`/proc/${pid}`)));
  await waitFor('their connections to be gone', async () => (await countSessions(server)) === 0);
});

/** The ids of processes with that directory in their arguments. */
async function programsWith(directory: string): Promise<string[]> {
  const { stdout } = await run('pgrep', ['-f', directory]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(Boolean);
}
