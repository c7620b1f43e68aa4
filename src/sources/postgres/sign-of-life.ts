import { setTimeout as sleep } from 'node:timers/promises';
import { runSql, withSession, type DatabaseLogin } from './connection.js';
import { quoteLiteral } from './quoting.js';

export interface SignOfLifeInput extends DatabaseLogin {
  /** In the name of the database that is made. */
  attemptToken: string;
  /** Called while a session there is at work and waits for no lock. */
  onAlive: () => void;
  /** Default: 20 s. */
  intervalMs?: number;
}

const INTERVAL_MS = 20_000;

/** Runs `work`, and looks meanwhile whether the server is: an index of a large table is built for long without a byte being read. */
export async function withSignOfLife<T>(input: SignOfLifeInput, work: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const { attemptToken, onAlive, intervalMs = INTERVAL_MS, ...login } = input;
  const query = `SELECT count(*) FROM pg_stat_activity WHERE datname LIKE ${quoteLiteral(`%\\_restoring\\_${attemptToken}`)}
    AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock' AND wait_event_type IS DISTINCT FROM 'Client';`;
  const look = async () => {
    for (;;) {
      await sleep(intervalMs, undefined, { signal: ended.signal });
      const count = await withSession({ ...login, signal: ended.signal }, (session) => runSql(session, query));
      if (count !== '0') onAlive();
    }
  };
  look().catch(() => undefined); // the end of the looking; a server that is gone is noticed by `work`
  try {
    return await work();
  } finally {
    ended.abort();
  }
}
