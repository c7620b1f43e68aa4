import { choosePgDump, type PostgresClient } from '../../pipeline/tools.js';
import { queryJson, withSession, type DatabaseLogin } from './connection.js';
import { inspectServer } from './server.js';

export interface DatabaseCheck {
  /** `15.18 (Debian …)` */
  serverVersion: string;
  /** The client that would dump it. */
  pgDump: PostgresClient;
  /** What would make the dump fail, and what to do about it; empty where nothing is known to. */
  findings: { message: string; hint: string }[];
}

interface Unreadable {
  names: string[];
  count: number;
  hasHiddenRows: boolean;
}

const TOLD_NAMES = 3;

/** Tables and sequences that pg_dump would lock or read, those of extensions left out, that this user may not. */
const QUERY = `
WITH unreadable AS (
  SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'S', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e' AND e.classid = 'pg_class'::regclass AND e.objid = c.oid)
    AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'))
)
SELECT jsonb_build_object(
  'count', (SELECT count(*) FROM unreadable),
  'names', (SELECT coalesce(jsonb_agg(name), '[]') FROM (SELECT name FROM unreadable ORDER BY 1 LIMIT ${String(TOLD_NAMES)}) u),
  'hasHiddenRows', EXISTS (SELECT FROM pg_class c WHERE row_security_active(c.oid))
)
`;

/**
 * Whether the database could be captured now: connects, chooses a client, looks at privileges. Errors are those of a
 * capture that would not even begin (LoginRefused, NotFound, ServerUnreachable, ProgramMissing).
 */
export async function checkDatabase(login: DatabaseLogin): Promise<DatabaseCheck> {
  return withSession(login, async (session) => {
    const { version, versionNumber } = await inspectServer(session);
    const pgDump = choosePgDump(session.tools, versionNumber);
    const findings = findingsOf(await queryJson<Unreadable>(session, QUERY), login.connection.user);
    return { serverVersion: version, pgDump, findings };
  });
}

function findingsOf({ names, count, hasHiddenRows }: Unreadable, user: string): DatabaseCheck['findings'] {
  const more = count > names.length ? ` and ${String(count - names.length)} more` : '';
  return [
    ...(count === 0
      ? []
      : [
          {
            message: `${user} may not read ${names.join(', ')}${more}`,
            hint: `GRANT pg_read_all_data TO ${user}; on the server (PostgreSQL 14 and newer)`,
          },
        ]),
    ...(hasHiddenRows
      ? [{ message: `row-level security hides rows from ${user}`, hint: `ALTER ROLE ${user} BYPASSRLS; on the server` }]
      : []),
  ];
}
