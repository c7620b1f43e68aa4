import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import { psql } from './shared-postgres.js';
import { waitFor } from './wait-for.js';

/** Locks `rings` in a session of its own, so that a dump waits until `release`: a capture held in the middle. */
export async function lockRings(database: string): Promise<{ release: () => Promise<void> }> {
  const { host, port, user, password, bin } = inject('postgres');
  const env = {
    ...process.env,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  };
  const session = spawn('setpriv', ['--pdeathsig', 'KILL', join(bin, 'psql'), '-X', '-q'], {
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(session, 'exit'); // heard from the start, so that it may be released twice
  session.stdin.write('BEGIN; LOCK TABLE rings IN ACCESS EXCLUSIVE MODE;\n');
  await waitFor('the lock', async () => (await locks(database, 'granted')) > 0);
  return {
    async release() {
      if (!session.stdin.writableEnded) session.stdin.end('ROLLBACK;\n');
      await ended;
    },
  };
}

/** Waits until a dump waits for the lock. */
export async function waitForBlockedDump(database: string): Promise<void> {
  await waitFor('a dump to wait for the lock', async () => (await locks(database, 'NOT granted')) > 0);
}

async function locks(database: string, condition: string): Promise<number> {
  const sql = `SELECT count(*) FROM pg_locks WHERE relation = 'rings'::regclass AND mode LIKE 'Access%' AND ${condition}`;
  return Number(await psql(database, sql));
}
