import { setTimeout } from 'node:timers/promises';
import { BackupError } from '../../domain/errors.js';
import type { DatabaseProperties } from '../../domain/manifest.js';
import { queryJson, runSql, type Session } from './connection.js';
import { closingStatements } from './create.js';
import { quoteIdentifier, quoteLiteral } from './quoting.js';
import { MAY_END, OBSTACLES, requireReplaceable } from './replaced.js';

export interface SwapInput {
  /** The name that is handed on. */
  into: string;
  /** Under which the restored one was made. */
  name: string;
  /** Of the database that has the name now. */
  oid: string;
  /** What that is called from then on. */
  keptAs: string;
  restoreToken: string;
  /** Of the restored one. */
  properties: DatabaseProperties;
  /** How often it waits for the sessions in it to end. Default: 3. */
  attempts?: number;
}

/** Whoever connects meanwhile waits so long at most. */
const LOCK_TIMEOUT_SECONDS = 20;
/** PostgreSQL waits 5 s for the sessions of a database before it refuses to rename it. */
const ATTEMPTS = 3;
/** A server that crashed needs some seconds to come back. */
const MOST_QUESTIONS = 15;
const QUESTION_PAUSE_MS = 2_000;
const STILL_USED = /is being accessed by other users|due to lock timeout/;

/**
 * Hands the name of a database on to a restored one, in one transaction: the old one stays closed as `keptAs`. Renaming takes the lock
 * that each login to the database takes first: who comes then waits, and finds the restored one or has to come again. So no
 * moment exists at which either is half renamed, or closed without being renamed. Those that are in it are ended meanwhile by another session.
 * `server` is not ended by an abort. Returns under which name the old one is kept: another than `keptAs` where another attempt of the
 * same restore was faster. Errors: those of `requireReplaceable`, Conflict, and those of a connection; nothing has changed then.
 */
export async function swapDatabases(server: Session, input: SwapInput): Promise<string> {
  for (let attempt = 1; attempt <= (input.attempts ?? ATTEMPTS); attempt++) {
    const kept = await findSwapped(server, input.restoreToken);
    if (kept !== undefined) return kept;
    await requireSame(server, input);
    if (await isSwappedBy(server, input)) return input.keptAs;
  }
  throw conflict(input, 'sessions in it did not end', 'close them, and try again');
}

async function requireSame(server: Session, input: SwapInput): Promise<void> {
  const { oid } = await requireReplaceable(server, input.into);
  if (oid === input.oid) return;
  throw conflict(input, 'its name is that of another one since the restore began', 'look at both, and try again');
}

function conflict({ into }: SwapInput, reason: string, hint: string): BackupError {
  const message = `cannot replace the database ${into}: because ${reason}`;
  return new BackupError('Conflict', message, { hint, retryable: false });
}

/** False: something was in its way, and nothing has changed. */
async function isSwappedBy(server: Session, input: SwapInput): Promise<boolean> {
  const renamed = new AbortController();
  const ending = endSessions({ ...server, signal: renamed.signal }, input).catch(() => undefined);
  try {
    return (await runSql(server, swapSql(input), `replace the database ${input.into}`)).endsWith('swapped');
  } catch (error) {
    if (error instanceof BackupError && STILL_USED.test(error.message)) return false;
    return await afterLostAnswer(server, input, error);
  } finally {
    renamed.abort();
    await ending;
  }
}

/** An answer that was lost on its way says nothing; the server does, once it is there again. */
async function afterLostAnswer(server: Session, { restoreToken, keptAs }: SwapInput, error: unknown): Promise<boolean> {
  for (let asked = 1; asked <= MOST_QUESTIONS; asked++) {
    try {
      const kept = await findSwapped(server, restoreToken);
      if (kept !== undefined) return true;
      break;
    } catch {
      await setTimeout(QUESTION_PAUSE_MS);
      if (asked < MOST_QUESTIONS || !(error instanceof BackupError)) continue;
      const hint = `the server did not say whether it was replaced: it was if there is a database ${keptAs}`;
      throw new BackupError(error.code, error.message, { hint, cause: error });
    }
  }
  throw error;
}

/** What is looked at again when nobody can get in any more: the obstacles, and that it is the same database. */
function swapSql({ into, name, oid, keptAs, restoreToken, properties }: SwapInput): string {
  const obstacles = Object.values(OBSTACLES).map((sql) => `EXISTS (${sql})`);
  const isChanged = `NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = ${quoteLiteral(keptAs)} AND d.oid = ${oid} AND NOT (${obstacles.join(' OR ')}))`;
  return `SET lock_timeout = '${String(LOCK_TIMEOUT_SECONDS)}s';
BEGIN;
ALTER DATABASE ${quoteIdentifier(into)} RENAME TO ${quoteIdentifier(keptAs)};
SELECT ${isChanged} AS is_changed \\gset
\\if :is_changed
ROLLBACK;
SELECT 'changed';
\\else
ALTER DATABASE ${quoteIdentifier(name)} RENAME TO ${quoteIdentifier(into)};
${closingStatements(into, properties).join('\n')}
ALTER DATABASE ${quoteIdentifier(keptAs)} ALLOW_CONNECTIONS false;
ALTER ROLE CURRENT_USER IN DATABASE ${quoteIdentifier(keptAs)} SET application_name = ${quoteLiteral(markOf(restoreToken))};
COMMIT;
SELECT 'swapped';
\\endif
`;
}

/**
 * A setting that nobody feels, since nobody gets in: it tells which restore the database was kept by, and is there exactly when that is
 * done. A comment would replace the database's own.
 */
function markOf(restoreToken: string): string {
  return `kept by restore ${restoreToken}`;
}

/** The name of the database that this restore has put aside; undefined where it has not come so far. */
export async function findSwapped(server: Session, restoreToken: string): Promise<string | undefined> {
  const setting = quoteLiteral(`application_name=${markOf(restoreToken)}`);
  const kept = await queryJson<string[]>(
    server,
    `SELECT coalesce(jsonb_agg(d.datname), '[]') FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
     WHERE ${setting} = ANY (s.setconfig) AND NOT d.datallowconn`,
  );
  return kept[0];
}

const PAUSE_SECONDS = 0.1;
const ROUNDS = 600;

/** Ends what is in either database, again and again until it is aborted. Processes without a user are the server's own. */
function endSessions(session: Session, { oid, name }: SwapInput): Promise<string> {
  const round = `SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
    JOIN pg_roles r ON r.oid = a.usesysid, pg_roles me
    WHERE me.rolname = current_user AND (a.datid = ${oid} OR a.datname = ${quoteLiteral(name)}) AND ${MAY_END};
  SELECT pg_sleep(${String(PAUSE_SECONDS)});\n`;
  return runSql(session, round.repeat(ROUNDS));
}
