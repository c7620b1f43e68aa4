import { open } from 'node:fs/promises';
import type { Manifest } from '../domain/manifest.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { decompressor } from '../pipeline/compression.js';
import { requireSuccess, startPipeline } from '../pipeline/process.js';
import type { Tools } from '../pipeline/tools.js';
import { quoteIdentifier, quoteLiteral } from '../sources/postgres/quoting.js';
import { rolesByName, rolesOfGlobals, tablespaceStatements, type ClusterRoles } from './cluster-roles.js';
import { judged } from './complaints.js';
import type { DumpContents } from './dump-contents.js';
import { feedSql } from './feed-sql.js';
import type { ThrowawayCluster } from './throwaway-cluster.js';

export interface PlanRolesInput {
  globalsPath?: string;
  manifest: Pick<Manifest, 'database' | 'roles' | 'writtenUnder'>;
  contents: DumpContents;
  tools: Tools;
  signal: AbortSignal;
}

export interface PlannedRoles extends ClusterRoles {
  /** How the capture wrote values. */
  settings: Record<string, string>;
  notes: string[];
}

/** What has to be made before the dump can be restored, and what is to be said about it. */
export async function planRoles(input: PlanRolesInput): Promise<PlannedRoles> {
  const { globalsPath, manifest, contents } = input;
  const roles =
    globalsPath === undefined
      ? rolesByName(manifest.roles ?? [], contents)
      : rolesOfGlobals(await readGlobals(globalsPath, input));
  const tablespaces = new Set(contents.tablespaces);
  const own = manifest.database?.tablespace ?? 'pg_default';
  if (own !== 'pg_default') tablespaces.add(spelled(own));
  const made = tablespaceStatements(tablespaces, roles.statements);
  return {
    bootstrap: roles.bootstrap,
    statements: [...roles.statements, ...made],
    settings: settingsOf(input),
    notes: [
      ...(globalsPath === undefined ? ['there are no globals of that run: roles were made by their names alone'] : []),
      ...(tablespaces.size > 0 ? [`tablespaces were made within the cluster: ${[...tablespaces].join(', ')}`] : []),
    ],
  };
}

/**
 * Makes them, every error fatal, and opens the first superuser again to whatever its settings closed. Both superusers of the drill
 * then read and write values as the capture did: a role's settings go before those of a database.
 */
export async function makeRoles(
  cluster: ThrowawayCluster,
  { statements, settings = {} }: Pick<PlannedRoles, 'statements'> & Partial<Pick<PlannedRoles, 'settings'>>,
): Promise<void> {
  const role = quoteIdentifier(cluster.bootstrap);
  const reopened = [`ALTER ROLE ${role} SUPERUSER LOGIN VALID UNTIL 'infinity';`, `ALTER ROLE ${role} RESET ALL;`];
  const set = [cluster.bootstrap, cluster.keeper].flatMap((each) =>
    Object.entries(settings).map(
      ([name, value]) => `ALTER ROLE ${quoteIdentifier(each)} SET ${quoteIdentifier(name)} TO ${quoteLiteral(value)};`,
    ),
  );
  const all = [...statements, ...[...reopened, ...set].map(bytesOf)];
  try {
    await feedSql({ login: cluster.login('template1'), statements: all, what: 'make the roles of the globals' });
  } catch (error) {
    throw judged(error);
  }
}

/** A locale that few machines have is asked for where something is written by it alone. */
function settingsOf({ manifest: { writtenUnder = {} }, contents }: PlanRolesInput): Record<string, string> {
  const { lc_monetary: monetary, ...settings } = writtenUnder;
  const usesMoney = contents.schema.some((statement) => /\bmoney\b/.test(statement));
  return { ...settings, ...(monetary !== undefined && usesMoney && { lc_monetary: monetary }) };
}

/** The text of a globals artifact, its bytes as latin1. */
export async function readGlobals(
  path: string,
  { tools, signal }: Pick<PlanRolesInput, 'tools' | 'signal'>,
): Promise<string> {
  const file = await open(path, 'r');
  try {
    const stages = [decompressor(tools, path.endsWith('.zst') ? 'zstd' : 'gzip')];
    const { stdout, finished } = startPipeline({ stages, stdinFd: file.fd, stdout: 'pipe', signal });
    const pieces: Buffer[] = [];
    for await (const piece of stdout as AsyncIterable<Buffer>) pieces.push(piece);
    const results = await finished;
    throwIfAborted(signal);
    requireSuccess(results, `read ${path}`);
    return Buffer.concat(pieces).toString('latin1');
  } finally {
    await file.close();
  }
}

/** As pg_dump spells a name: quoted only where it has to be. */
function spelled(name: string): string {
  const bytes = bytesOf(name);
  return /^[a-z_][a-z0-9_]*$/.test(bytes) ? bytes : quoteIdentifier(bytes);
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
