import { runSql, type Session } from './connection.js';

export interface ServerFacts {
  /** `server_version_num`: 150018. */
  versionNumber: number;
  /** `15.18 (Debian 15.18-0+deb12u1)` */
  version: string;
  /** What tells one cluster from every other; absent where the user may not read it. */
  systemIdentifier?: string;
}

// `\if` and not CASE: PostgreSQL checks the right to call a function even in an arm that is never taken.
export const SERVER_QUERY = `
SELECT current_setting('server_version_num'), current_setting('server_version');
SELECT has_function_privilege('pg_control_system()', 'execute') AS allowed \\gset
\\if :allowed
SELECT system_identifier FROM pg_control_system();
\\endif
`;

export async function inspectServer(session: Session): Promise<ServerFacts> {
  return parseServerFacts((await runSql(session, SERVER_QUERY)).split('\n'));
}

/** The lines that `SERVER_QUERY` prints. */
export function parseServerFacts([versions = '', systemIdentifier]: readonly string[]): ServerFacts {
  const [versionNumber, ...version] = versions.split('|');
  return {
    versionNumber: Number(versionNumber),
    version: version.join('|'),
    ...(systemIdentifier === undefined ? {} : { systemIdentifier }),
  };
}
