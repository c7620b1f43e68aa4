import { dirname, join } from 'node:path';
import type { Manifest } from '../domain/manifest.js';
import { findProgram, pathDirectories } from '../pipeline/program.js';
import { runProgram } from '../pipeline/process.js';
import type { Tools } from '../pipeline/tools.js';
import { Unverifiable } from './verdict.js';

/** What a drill is made with. */
export interface DrillPrograms {
  initdb: string;
  postgres: string;
  serverVersion: string;
  /** pg_dump as that of the capture, and psql. */
  tools: Tools;
}

/**
 * Looks for a server of the major that was backed up, in the directories of the clients and where packages put it, and for the
 * pg_dump of the major that made the artifact: others write the same database down in another way. Throws Unverifiable.
 */
export async function findDrillPrograms(
  manifest: Pick<Manifest, 'server' | 'programs'>,
  tools: Tools,
): Promise<DrillPrograms> {
  const major = majorOf(manifest);
  const dumpMajor = Number.parseInt(manifest.programs['pg_dump'] ?? String(major), 10);
  const pgDump = tools.pgDumps.find((client) => client.major === dumpMajor);
  if (pgDump === undefined) throw new Unverifiable(`there is no pg_dump of PostgreSQL ${String(dumpMajor)} here`);
  for (const directory of candidates(major, tools)) {
    const [postgres, initdb] = [findProgram(join(directory, 'postgres')), findProgram(join(directory, 'initdb'))];
    if (postgres === undefined || initdb === undefined) continue;
    const serverVersion = await versionOf(postgres);
    if (Number.parseInt(serverVersion, 10) !== major) continue;
    return { initdb, postgres, serverVersion, tools: { ...tools, pgDumps: [pgDump] } };
  }
  throw new Unverifiable(
    `there is no server of PostgreSQL ${String(major)} here (package postgresql-${String(major)})`,
  );
}

function majorOf({ server }: Pick<Manifest, 'server'>): number {
  if (server === undefined) throw new Unverifiable('the manifest does not name the version of the server');
  return Math.floor(server.versionNumber / 10_000);
}

function candidates(major: number, { pgDumps }: Tools): string[] {
  const packages = [`/usr/lib/postgresql/${String(major)}/bin`, `/usr/pgsql-${String(major)}/bin`];
  return [...new Set([...pgDumps.map(({ path }) => dirname(path)), ...pathDirectories(), ...packages])];
}

/** `17.6`; empty where it does not start. */
async function versionOf(postgres: string): Promise<string> {
  const answer = await runProgram({ file: postgres, args: ['--version'] }).catch(() => undefined);
  return /\d+(?:\.\d+)*/.exec(answer?.stdout ?? '')?.[0] ?? '';
}
