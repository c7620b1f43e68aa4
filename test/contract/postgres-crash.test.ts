import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureDatabase } from '../../src/sources/postgres/capture.js';
import { captureInput, loginTo } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import {
  CANARY,
  capturesOf,
  countSessions,
  failureOf,
  holdingALock,
  HOSTILE_PASSWORD,
  temporaryDirectory,
} from '../support/postgres-trouble.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ user: `us'er "x"`, password: HOSTILE_PASSWORD });
  await server.psql('postgres', 'CREATE DATABASE locked');
  await server.psql('locked', `CREATE TABLE held (i int)`);
});
afterAll(() => server.stop());

test('the password is on no disk and in no process list while a capture runs', async () => {
  const login = await loginTo(server, 'locked');
  const temporary = await temporaryDirectory();
  const stop = new AbortController();
  await holdingALock(server, 'locked', 'held', async () => {
    const capture = captureDatabase({ ...(await captureInput(login)), signal: stop.signal });
    await waitFor('pg_dump to wait', async () => (await countSessions(server, 'waiting for a lock')) === 1);
    const { stdout: list } = await run(
      'bash',
      ['-c', 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"; true'],
      { maxBuffer: 1e9 },
    );
    expect(list).toContain(`PGUSER=us'er "x"`);
    expect(list).not.toContain(CANARY);
    expect((await readdir(temporary)).filter((name) => name.startsWith('backup-login-'))).toEqual([]);
    stop.abort();
    await expect(capture).rejects.toMatchObject({ code: 'Cancelled' });
  });
});

test('a lock that is not given up in time is told as that', async () => {
  const login = await loginTo(server, 'locked');
  await holdingALock(server, 'locked', 'held', async () => {
    const error = await failureOf(captureDatabase({ ...(await captureInput(login)), lockWaitTimeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'ProgramFailed', hint: expect.stringContaining('pg_locks') as string });
    expect(error.retryable).toBe(true);
  });
});

test('kill -9 of the process in mid-dump leaves no pg_dump and no password', async () => {
  const login = await loginTo(server, 'locked');
  await holdingALock(server, 'locked', 'held', async () => {
    const { signal: _signal, ...input } = await captureInput(login);
    const temporary = await temporaryDirectory();
    const capture = new URL('../../src/sources/postgres/capture.ts', import.meta.url).href;
    const script = `
      import { json } from 'node:stream/consumers';
      import { captureDatabase } from ${JSON.stringify(capture)}; await captureDatabase(await json(process.stdin));`;
    const child = spawn('node', ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    child.stdin.end(JSON.stringify(input)); // the password is in it
    await waitFor('pg_dump to wait', async () => (await countSessions(server, 'waiting for a lock')) === 1);
    const pids = await capturesOf(child.pid);
    expect(pids).toHaveLength(2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await waitFor('pg_dump and the compressor to be gone', () => !pids.some((pid) => existsSync(`/proc/${pid}`)));
    expect((await readdir(temporary)).filter((name) => name.startsWith('backup-login-'))).toEqual([]);
  });
});
