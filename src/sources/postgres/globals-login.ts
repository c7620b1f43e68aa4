import { BackupError } from '../../domain/errors.js';
import type { ServerLogin } from '../../domain/target.js';
import type { Tools } from '../../pipeline/tools.js';
import { queryJson, withSession, type DatabaseLogin, type Session } from './connection.js';

export interface GlobalsLogins {
  /** What messages call it: the name of the globals. */
  target: string;
  /** Those of the targets of one server, at least one. */
  logins: readonly ServerLogin[];
  /** Throws ConfigInvalid where it cannot be resolved. */
  passwordOf: (login: ServerLogin) => string | undefined;
  tools: Tools;
  signal?: AbortSignal;
}

/** Who dumps the roles of a server, and from where. */
export interface GlobalsAccess {
  login: DatabaseLogin;
  mayReadPasswords: boolean;
}

/** There on every server; for where the database of a login is gone. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'];

const QUERY = `SELECT jsonb_build_object(
  'mayReadPasswords', has_table_privilege('pg_authid', 'SELECT'),
  'isUsual', (SELECT d.encoding = t.encoding FROM pg_database d, pg_database t WHERE d.datname = current_database() AND t.datname = 'template0')
)`;

interface Seen {
  mayReadPasswords: boolean;
  /** Whether the database has the encoding that the server was made with. */
  isUsual: boolean;
}

/**
 * The first login that may read passwords, else the first that gets in. One that is refused, or whose database is gone, is passed over
 * as long as another one gets in; the first error is thrown where none does.
 */
export async function enterGlobals(input: GlobalsLogins): Promise<GlobalsAccess> {
  const { target, logins, passwordOf, tools, signal } = input;
  let first: GlobalsAccess | undefined;
  const refusals: unknown[] = [];
  for (const server of logins) {
    try {
      const password = passwordOf(server);
      const { connection } = server;
      const access = await enter({
        ...{ target, connection, tools },
        ...(signal !== undefined && { signal }),
        ...(password !== undefined && { password }),
      });
      if (access.mayReadPasswords) return access;
      first ??= access;
    } catch (error) {
      if (!isOfOneLogin(error)) throw error;
      refusals.push(error);
    }
  }
  if (first === undefined) throw refusals[0];
  return first;
}

/** What another user of the server may not meet. */
function isOfOneLogin(error: unknown): boolean {
  return error instanceof BackupError && ['LoginRefused', 'NotFound', 'ConfigInvalid'].includes(error.code);
}

async function enter(login: DatabaseLogin): Promise<GlobalsAccess> {
  const at = (database: string): DatabaseLogin => ({ ...login, connection: { ...login.connection, database } });
  const own = login.connection.database;
  try {
    const { isUsual, mayReadPasswords } = await look(login);
    const [usual] = MAINTENANCE_DATABASES;
    if (isUsual || usual === undefined) return { login, mayReadPasswords };
    // Names of roles are bytes, of no encoding: from a database with another one they would be converted.
    const isOpen = await look(at(usual)).catch(() => undefined);
    return { login: isOpen === undefined ? login : at(usual), mayReadPasswords };
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'NotFound') throw error;
    for (const database of MAINTENANCE_DATABASES.filter((name) => name !== own)) {
      const seen = await look(at(database)).catch(() => undefined);
      if (seen !== undefined) return { login: at(database), mayReadPasswords: seen.mayReadPasswords };
    }
    throw error;
  }
}

function look(login: DatabaseLogin): Promise<Seen> {
  return withSession(login, (session) => queryJson<Seen>(session, QUERY));
}

/** What messages say that they talk about: `globals:db-5432 (server db:5432)`. */
export function serverOf({ target, connection }: Pick<Session, 'target' | 'connection'>): string {
  return `${target} (server ${connection.host}:${String(connection.port)})`;
}
