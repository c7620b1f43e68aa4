import { queryJson, runSql, withSession, type DatabaseLogin, type Session } from './connection.js';
import { enterServer } from './preparation.js';
import { quoteIdentifier, quoteLiteral } from './quoting.js';

/** What tells the database of that name from any other that had or will have it; undefined where there is none. */
export async function databaseOid(session: Session, name: string): Promise<string | undefined> {
  const oid = await runSql(session, `SELECT oid FROM pg_database WHERE datname = ${quoteLiteral(name)};`);
  return oid === '' ? undefined : oid;
}

/** The same, by a login that may enter no database of that name. */
export async function findDatabaseOid(login: DatabaseLogin, name: string): Promise<string | undefined> {
  return withSession(login, async (session) => databaseOid((await enterServer(session, name)).server, name));
}

export interface SweepDatabasesInput extends DatabaseLogin {
  /** Of the restore: 8 hexadecimal digits. */
  restoreToken: string;
  /** Made by it, beside the database. */
  roles: readonly string[];
}

/** Drops the databases that killed attempts of one restore had not finished, with whoever is still connected to them, and the roles. */
export async function sweepDatabases({ restoreToken, roles, ...login }: SweepDatabasesInput): Promise<string[]> {
  return withSession(login, async (session) => {
    const { server } = await enterServer(session, '');
    const pattern = `_restoring_${restoreToken}[0-9a-f]{4}$`;
    const query = `(SELECT coalesce(jsonb_agg(datname), '[]') FROM pg_database WHERE datname ~ ${quoteLiteral(pattern)})`;
    const names = await queryJson<string[]>(server, query);
    for (const name of names) await runSql(server, `DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE);`);
    if (roles.length > 0) await runSql(server, `DROP ROLE IF EXISTS ${roles.map(quoteIdentifier).join(', ')};`);
    return names;
  });
}

/** Databases that a restore had begun and nobody is connected to: its process is gone, or between two of its steps. */
export async function findUnfinishedDatabases(login: DatabaseLogin): Promise<string[]> {
  const query = `(
    SELECT coalesce(jsonb_agg(datname ORDER BY datname), '[]') FROM pg_database d
    WHERE datname ~ '_restoring_[0-9a-f]{12}$' AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
  )`;
  return withSession(login, async (session) => queryJson<string[]>((await enterServer(session, '')).server, query));
}
