import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { BackupError } from '../../src/domain/errors.js';
import { findTools } from '../../src/pipeline/tools.js';
import { captureDatabase, describeDatabase } from '../../src/sources/postgres-capture.js';
import { freePort } from '../support/free-port.js';
import { captureArtifact, captureInput, loginTo, toolsWith } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const PASSWORD = `kanarie-5c27 $%#@:/?'"\\ \\: pass`;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ user: `us'er "x"`, password: PASSWORD });
  await server.psql('postgres', 'CREATE DATABASE data; CREATE DATABASE locked');
  await server.psql('data', `CREATE TABLE noise AS SELECT i, md5(i::text) AS text FROM generate_series(1, 200000) i`);
  await server.psql('locked', `CREATE TABLE held (i int); CREATE ROLE plain LOGIN PASSWORD 'plain'`);
});
afterAll(() => server.stop());

async function failureOf(work: Promise<unknown>): Promise<BackupError> {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof BackupError)) throw error;
  expect(JSON.stringify([error.text, error.stack, error.cause])).not.toContain('kanarie');
  return error;
}

async function countActivity(condition: string): Promise<number> {
  return Number(await server.psql('postgres', `SELECT count(*) FROM pg_stat_activity WHERE ${condition}`));
}

const OURS = `application_name = 'backup-orchestrator'`;
const OURS_WAITING = `${OURS} AND wait_event_type = 'Lock'`;

/** Where this process and its children make temporary files from now on. */
async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'temporary-'));
  vi.stubEnv('TMPDIR', directory);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return directory;
}

/** A `pg_dump` that is first in PATH. `$REAL` is the real one. */
async function fakePgDump(script: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-'));
  const path = join(directory, 'pg_dump');
  const real = join(server.bin, 'pg_dump');
  const version = `[ "$1" = --version ] && exec "$REAL" --version`;
  await writeFile(path, `#!/bin/bash\nREAL='${real}'\n${version}\n${script}\n`);
  await chmod(path, 0o755);
  vi.stubEnv('PATH', [directory, process.env['PATH']].join(delimiter));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return directory;
}

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

test('the password is on no disk and in no process list while a capture runs', async () => {
  const login = await loginTo(server, 'locked');
  const temporary = await temporaryDirectory();
  const stop = new AbortController();
  await holdingALock(async () => {
    const capture = captureDatabase({ ...(await captureInput(login)), signal: stop.signal });
    await waitFor('pg_dump to wait', async () => (await countActivity(OURS_WAITING)) === 1);
    const { stdout: list } = await run(
      'bash',
      ['-c', 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"; true'],
      { maxBuffer: 1e9 },
    );
    expect(list).toContain(`PGUSER=us'er "x"`);
    expect(list).not.toContain('kanarie');
    expect((await readdir(temporary)).filter((name) => name.startsWith('backup-login-'))).toEqual([]);
    stop.abort();
    await expect(capture).rejects.toMatchObject({ code: 'Cancelled' });
  });
});

async function holdingALock(work: () => Promise<void>): Promise<void> {
  const holder = server.psql('locked', 'BEGIN; LOCK TABLE held; SELECT pg_sleep(1000)');
  holder.catch(() => undefined);
  const held = `SELECT count(*) FROM pg_locks WHERE relation = 'held'::regclass AND granted`;
  await waitFor('the lock', async () => (await server.psql('locked', held)) === '1');
  try {
    await work();
  } finally {
    await server.psql(
      'postgres',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1000)%' AND pid <> pg_backend_pid()`,
    );
    await expect(holder).rejects.toThrow();
  }
}

test('a lock that is not given up in time is told as that', async () => {
  const login = await loginTo(server, 'locked');
  await holdingALock(async () => {
    const error = await failureOf(captureDatabase({ ...(await captureInput(login)), lockWaitTimeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'ProgramFailed', hint: expect.stringContaining('pg_locks') as string });
    expect(error.retryable).toBe(true);
  });
});

describe('a server that cannot be used', () => {
  test('a wrong password, an unknown role, a password that is missing', async () => {
    const login = await loginTo(server, 'data');
    for (const change of [
      { password: 'kanarie wrong' },
      { password: '' },
      { connection: { ...login.connection, user: 'nobody' } },
    ]) {
      const error = await captureDatabase({ ...(await captureInput(login)), ...change }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'LoginRefused',
        retryable: false,
        message: expect.stringMatching(
          /^cannot connect to target \(database data on 127\.0\.0\.1:\d+\): because /,
        ) as string,
        hint: expect.stringContaining('password') as string,
      });
    }
  });

  test('a password that no program can be given', async () => {
    const login = await loginTo(server, 'data');
    const error = await failureOf(captureDatabase({ ...(await captureInput(login)), password: 'kanarie\n' }));
    expect(error.text).toMatch(/^cannot connect to target: because its password holds a line break\nHINT: /);
  });

  test('a missing database', async () => {
    const error = await failureOf(captureDatabase(await captureInput(await loginTo(server, 'missing'))));
    expect(error).toMatchObject({ code: 'NotFound', retryable: false });
    expect(error.message).toContain('database "missing" does not exist');
  });

  test('a database that the user may not connect to', async () => {
    await server.psql('postgres', 'CREATE DATABASE closed; REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
    const login = await loginTo(server, 'closed');
    const connection = { ...login.connection, user: 'plain' };
    const error = await failureOf(
      captureDatabase({ ...(await captureInput({ ...login, connection })), password: 'plain' }),
    );
    expect(error).toMatchObject({ code: 'LoginRefused', hint: expect.stringContaining('GRANT CONNECT') as string });
  });

  test('a table that the user may not read', async () => {
    const login = await loginTo(server, 'data');
    const connection = { ...login.connection, user: 'plain' };
    const error = await failureOf(
      captureDatabase({ ...(await captureInput({ ...login, connection })), password: 'plain' }),
    );
    expect(error).toMatchObject({ code: 'LoginRefused', hint: expect.stringContaining('pg_read_all_data') as string });
    expect(error.message).toMatch(/^cannot dump target .*: because .*permission denied for table noise/);
  });

  test('nobody listens, no such host, a server that does not speak TLS', async () => {
    const login = await loginTo(server, 'data');
    for (const [change, code] of [
      [{ port: await freePort() }, 'ServerUnreachable'],
      [{ host: 'no-such-host.invalid' }, 'ServerUnreachable'],
      [{ sslmode: 'require' }, 'LoginRefused'],
      [{ sslmode: 'bogus' }, 'LoginRefused'],
    ] as const) {
      const connection = { ...login.connection, ...change };
      const error = await failureOf(captureDatabase(await captureInput({ ...login, connection })));
      expect(error).toMatchObject({ code, retryable: code === 'ServerUnreachable' });
      expect(error.message).toMatch(/^cannot connect to target /);
    }
  });
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

describe('a pg_dump that goes wrong', () => {
  test.each([
    ['exits 1 after all of its output', '"$REAL" "$@"; echo "pg_dump: error: oops" >&2; exit 1', /because oops$/],
    ['is killed after all of its output', '"$REAL" "$@"; kill -KILL $$', /because pg_dump was ended by SIGKILL/],
    ['exits 0 over half a dump', '"$REAL" "$@" | head -c 500000; exit 0', /end marker of pg_dump is missing/],
    ['exits 0 over nothing', 'exit 0', /it holds nothing/],
    ['exits 1 at once', 'echo "pg_dump: error: oops" >&2; exit 1', /because oops$/],
  ])('that %s is no success', async (_what, script, message) => {
    await fakePgDump(script);
    const login = { ...(await loginTo(server, 'data')), tools: await findTools() };
    const error = await failureOf(captureArtifact(login));
    expect(error.message).toMatch(message);
  });

  test('that the server ends in mid-dump fails', async () => {
    const stop = `"$REAL" "$@" | { head -c 100000; touch "$(dirname "$0")/halfway"; cat; }; exit "\${PIPESTATUS[0]}"`;
    const directory = await fakePgDump(stop);
    const own = await startPostgres();
    onTestFinished(() => own.stop());
    await own.psql('postgres', `CREATE DATABASE large`);
    await own.psql(
      'large',
      `CREATE TABLE noise AS SELECT i, repeat(md5(i::text), 10) AS text FROM generate_series(1, 500000) i`,
    );
    const login = { ...(await loginTo(own, 'large')), tools: await findTools() };
    const capture = failureOf(captureDatabase({ ...(await captureInput(login)), level: 9 }));
    await waitFor('half a dump', async () => (await readdir(directory)).includes('halfway'));
    await own.kill();
    const error = await capture;
    expect(error.retryable).toBe(true);
    expect(error.message).toMatch(
      /^cannot dump target .* because .*(server closed the connection|terminating connection)/,
    );
  });

  test('its warnings are kept', async () => {
    const warning = `echo "pg_dump: warning: there are circular foreign-key constraints" >&2; echo "pg_dump: detail: t" >&2`;
    await fakePgDump(`${warning}; echo "pg_dump: warning: second" >&2; exec "$REAL" "$@"`);
    const { manifest } = await captureArtifact({ ...(await loginTo(server, 'data')), tools: await findTools() });
    expect(manifest.warnings).toEqual([
      'pg_dump: there are circular foreign-key constraints pg_dump: detail: t',
      'pg_dump: second',
    ]);
  });
});

test('a full disk is told as that, and pg_dump is gone', async () => {
  const input = await captureInput(await loginTo(server, 'data'));
  const error = await failureOf(captureDatabase({ ...input, partPath: '/dev/full' }));
  expect(error).toMatchObject({ code: 'DiskFull', retryable: true });
  await waitFor('pg_dump to be gone', async () => (await countActivity(OURS)) === 0);
});

test('an aborted capture has ended its programs when it rejects', async () => {
  const login = await loginTo(server, 'data');
  const stop = new AbortController();
  const before = await childrenOf(process.pid);
  const input = await captureInput(login);
  const capture = captureDatabase({ ...input, level: 9, signal: stop.signal, onProgress: () => stop.abort() });
  await expect(capture).rejects.toMatchObject({ code: 'Cancelled' });
  expect(await childrenOf(process.pid)).toEqual(before);
  await waitFor('its connection to be gone', async () => (await countActivity(OURS)) === 0);
});

test('kill -9 of the process in mid-dump leaves no pg_dump and no password', async () => {
  const login = await loginTo(server, 'locked');
  await holdingALock(async () => {
    const { signal: _signal, ...input } = await captureInput(login);
    const temporary = await temporaryDirectory();
    const capture = new URL('../../src/sources/postgres-capture.ts', import.meta.url).href;
    const script = `import { captureDatabase } from ${JSON.stringify(capture)}; await captureDatabase(JSON.parse(process.env.INPUT));`;
    const env = { ...process.env, INPUT: JSON.stringify(input) };
    const child = spawn('node', ['--import', 'tsx', '--input-type=module', '-e', script], { env, stdio: 'inherit' });
    await waitFor('pg_dump to wait', async () => (await countActivity(OURS_WAITING)) === 1);
    const pids = await childrenOf(child.pid);
    expect(pids).toHaveLength(2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await waitFor('pg_dump and the compressor to be gone', () => !pids.some((pid) => existsSync(`/proc/${pid}`)));
    expect((await readdir(temporary)).filter((name) => name.startsWith('backup-login-'))).toEqual([]);
  });
});

async function childrenOf(pid: number | undefined): Promise<string[]> {
  const { stdout } = await run('pgrep', ['-f', 'pg_dump|bgzip', '-P', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(Boolean);
}
