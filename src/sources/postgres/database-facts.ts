import type { DatabaseProperties } from '../../domain/manifest.js';
import { jsonStatement, parseJson, runSql, type Session } from './connection.js';
import { WRITING_SETTINGS_QUERY, propertiesOf, propertiesQuery, type DatabaseRow } from './properties.js';
import { ROLES_QUERY, rolesToRestore } from './roles.js';
import { SERVER_QUERY, parseServerFacts, type ServerFacts } from './server.js';

export interface DatabaseFacts {
  server: ServerFacts;
  database: DatabaseProperties;
  /** Settings under which a dump by this user writes values and names. */
  writtenUnder: Record<string, string>;
  /** Those that a restore needs. Sorted. */
  roles: string[];
}

const JSON_QUERIES = [propertiesQuery(), WRITING_SETTINGS_QUERY, ROLES_QUERY];
const SCRIPT = [SERVER_QUERY, ...JSON_QUERIES.map(jsonStatement)].join('\n');

/** All that a manifest says of a database beside its dump, in one session: of a small database most of the time is taken by programs that start. */
export async function readDatabaseFacts(session: Session): Promise<DatabaseFacts> {
  const lines = (await runSql(session, SCRIPT)).split('\n');
  const [row = '', settings = '', named = ''] = lines.splice(-JSON_QUERIES.length);
  const database = propertiesOf(parseJson<DatabaseRow>(row));
  return {
    server: parseServerFacts(lines),
    database,
    writtenUnder: parseJson(settings),
    roles: rolesToRestore(parseJson(named), database),
  };
}
