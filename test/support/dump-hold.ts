import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inject } from 'vitest';
import { psql } from './shared-postgres.js';
import { waitFor } from './wait-for.js';

/** pg_dump comes to large objects after the rows of all tables, and needs no lock on this before. */
const HELD = 'pg_largeobject';

export interface DumpHold {
  /** Waits until so many dumps have written all rows and wait. */
  reached: (dumps?: number) => Promise<void>;
  release: () => Promise<void>;
}

/**
 * Makes every dump of a database stop in its middle, until `release`: a session holds a lock on its large objects, of
 * which there is one.
 */
export async function holdDumps(database: string): Promise<DumpHold> {
  await psql(database, `SELECT lo_from_bytea(0, 'kept')`);
  const { host, port, user, password, bin } = inject('postgres');
  const login = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database };
  const session = spawn('setpriv', ['--pdeathsig', 'KILL', join(bin, 'psql'), '-X', '-q'], {
    env: { ...process.env, ...login },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(session, 'exit');
  session.stdin.write(`BEGIN; LOCK TABLE ${HELD} IN ACCESS EXCLUSIVE MODE;\n`);
  const locks = async (condition: string) =>
    Number(await psql(database, `SELECT count(*) FROM pg_locks WHERE relation = '${HELD}'::regclass AND ${condition}`));
  await waitFor('the hold', async () => (await locks('granted')) > 0);
  return {
    async reached(dumps = 1) {
      await waitFor(`${String(dumps)} dumps to be held`, async () => (await locks('NOT granted')) >= dumps);
    },
    async release() {
      session.stdin.end('ROLLBACK;\n');
      await ended;
    },
  };
}
