import { open } from 'node:fs/promises';
import type { Manifest } from '../domain/manifest.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { decompressor } from '../pipeline/compression.js';
import { requireSuccess, startPipeline } from '../pipeline/process.js';
import type { Tools } from '../pipeline/tools.js';
import { quoteIdentifier } from '../sources/postgres-quoting.js';
import { rolesByName, rolesOfGlobals, tablespaceStatements, type ClusterRoles } from './cluster-roles.js';
import { judged } from './complaints.js';
import type { DumpContents } from './dump-contents.js';
import { feedSql } from './feed-sql.js';
import { runIn } from './restore-into.js';
import type { ThrowawayCluster } from './throwaway-cluster.js';

export interface PlanRolesInput {
  globalsPath?: string;
  manifest: Pick<Manifest, 'database' | 'roles'>;
  contents: DumpContents;
  tools: Tools;
  signal: AbortSignal;
}

export interface PlannedRoles extends ClusterRoles {
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
    notes: [
      ...(globalsPath === undefined ? ['there are no globals of that run: roles were made by their names alone'] : []),
      ...(tablespaces.size > 0 ? [`tablespaces were made within the cluster: ${[...tablespaces].join(', ')}`] : []),
    ],
  };
}

/** Makes them, every error fatal, and opens the first superuser again to whatever its settings closed. */
export async function makeRoles(cluster: ThrowawayCluster, { statements }: ClusterRoles): Promise<void> {
  try {
    await feedSql({ login: cluster.login('template1'), statements, what: 'make the roles of the globals' });
  } catch (error) {
    throw judged(error);
  }
  const role = quoteIdentifier(cluster.bootstrap);
  const open = `ALTER ROLE ${role} SUPERUSER LOGIN VALID UNTIL 'infinity'; ALTER ROLE ${role} RESET ALL;`;
  await runIn(cluster, 'template1', open);
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
  const bytes = Buffer.from(name, 'utf8').toString('latin1');
  return /^[a-z_][a-z0-9_]*$/.test(bytes) ? bytes : quoteIdentifier(bytes);
}
