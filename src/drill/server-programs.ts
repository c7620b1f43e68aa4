import { dirname, join } from 'node:path';
import type { Manifest } from '../domain/manifest.js';
import { runProgram } from '../pipeline/process.js';
import { findProgram } from '../pipeline/program.js';
import { findPostgresServers, type Tools } from '../pipeline/tools.js';
import { asServerUser, findServerUser, type ServerUser } from './server-user.js';
import { Unverifiable } from './verdict.js';

/** What a drill is made with. */
export interface DrillPrograms {
  initdb: string;
  postgres: string;
  serverVersion: string;
  /** Whom the server runs as; undefined: the user of this process. */
  user: ServerUser | undefined;
  /** With no other pg_dump than that of the drill. */
  tools: Tools;
}

/** Older servers lack settings that a drill's server is started with. */
const OLDEST_MAJOR = 14;

/**
 * Chooses a server of the major that was backed up, and the pg_dump of the major that made the artifact: others write the same
 * database down in another way. Throws Unverifiable.
 */
export async function findDrillPrograms(
  manifest: Pick<Manifest, 'server' | 'programs'>,
  tools: Tools,
): Promise<DrillPrograms> {
  const major = majorOf(manifest);
  const dumpMajor = Number.parseInt(manifest.programs['pg_dump'] ?? String(major), 10);
  const pgDump = tools.pgDumps.find((client) => client.major === dumpMajor);
  if (pgDump === undefined) throw new Unverifiable(`there is no pg_dump of PostgreSQL ${String(dumpMajor)} here`);
  const user = await findServerUser();
  const servers = tools.pgServers ?? (await findPostgresServers());
  for (const server of servers.filter((each) => each.major === major)) {
    const initdb = findProgram(join(dirname(server.path), 'initdb'));
    if (initdb === undefined || !(await isWithinReach(initdb, user))) continue;
    return {
      initdb,
      postgres: server.path,
      serverVersion: server.version,
      user,
      tools: { ...tools, pgDumps: [pgDump] },
    };
  }
  const name = `postgresql-${String(major)}`;
  throw new Unverifiable(`there is no server of PostgreSQL ${String(major)} here (install the package ${name})`);
}

function majorOf({ server }: Pick<Manifest, 'server'>): number {
  if (server === undefined) throw new Unverifiable('the manifest does not name the version of the server');
  const major = Math.floor(server.versionNumber / 10_000);
  if (major >= OLDEST_MAJOR) return major;
  throw new Unverifiable(
    `drills need PostgreSQL ${String(OLDEST_MAJOR)} or newer, and that server was ${server.version}`,
  );
}

/** Root's own programs are not everybody's. Asked of another program: this one would be started with rights left over from root. */
async function isWithinReach(path: string, user: ServerUser | undefined): Promise<boolean> {
  const test = runProgram(asServerUser(user, { file: 'test', args: ['-x', path] }));
  return test.then(
    () => true,
    () => false,
  );
}
