import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, vi } from 'vitest';
import { BackupError } from '../../src/domain/errors.js';
import type { PostgresServer } from './postgres-server.js';
import { waitFor } from './wait-for.js';

const run = promisify(execFile);

/** A word that must be seen nowhere; tests that run beside these look at the processes of the whole machine too. */
export const CANARY = `kanarie-${randomBytes(4).toString('hex')}`;
/** A password with it and everything that quoting can get wrong. */
export const HOSTILE_PASSWORD = `${CANARY} $%#@:/?'"\\ \\: pass`;

/** The BackupError that `work` fails with; it shows no password. */
export async function failureOf(work: Promise<unknown>): Promise<BackupError> {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof BackupError)) throw error;
  expect(JSON.stringify([error.text, error.stack, error.cause])).not.toContain(CANARY);
  return error;
}

const OURS = `application_name = 'backup-orchestrator'`;

/** Sessions of captures and restores on that server. */
export async function countSessions(
  server: PostgresServer,
  which: 'all' | 'waiting for a lock' = 'all',
): Promise<number> {
  const condition = which === 'all' ? OURS : `${OURS} AND wait_event_type = 'Lock'`;
  return Number(await server.psql('postgres', `SELECT count(*) FROM pg_stat_activity WHERE ${condition}`));
}

/** Runs `work` while another session holds the only lock on `table`. */
export async function holdingALock(
  server: PostgresServer,
  database: string,
  table: string,
  work: () => Promise<void>,
): Promise<void> {
  const holder = server.psql(database, `BEGIN; LOCK TABLE ${table}; SELECT pg_sleep(1000)`);
  holder.catch(() => undefined);
  const held = `SELECT count(*) FROM pg_locks WHERE relation = '${table}'::regclass AND granted`;
  await waitFor('the lock', async () => (await server.psql(database, held)) === '1');
  try {
    await work();
  } finally {
    const holders = `FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1000)%' AND pid <> pg_backend_pid()`;
    await server.psql('postgres', `SELECT pg_terminate_backend(pid) ${holders}`);
    await expect(holder).rejects.toThrow();
  }
}

/** Where this process and its children make temporary files from now on. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'temporary-'));
  vi.stubEnv('TMPDIR', directory);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return directory;
}

/** Puts a `pg_dump` first in PATH until the test ends; in its script, `$REAL` is the real one. Returns its directory. */
export async function fakePgDump({ bin }: PostgresServer, script: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-'));
  const path = join(directory, 'pg_dump');
  const real = join(bin, 'pg_dump');
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

/** The ids of a process' children that are pg_dump or a compressor. */
export async function capturesOf(pid: number | undefined): Promise<string[]> {
  const { stdout } = await run('pgrep', ['-f', 'pg_dump|bgzip', '-P', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(Boolean);
}
