import type { Manifest } from '../domain/manifest.js';
import type { DrillResult } from '../domain/verification.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { requireSuccess, startPipeline } from '../pipeline/process.js';
import { siblingClient, type Tools } from '../pipeline/tools.js';
import { CONNECTION_OPTIONS, withSession } from '../sources/postgres/connection.js';
import { nameOf, rolesOfGlobals, statementsOf, type Statement } from './cluster-roles.js';
import { makeRoles, readGlobals } from './prepare-roles.js';
import { findDrillPrograms } from './server-programs.js';
import { startThrowawayCluster, type ThrowawayCluster } from './throwaway-cluster.js';
import { asVerdict, few, Unverifiable } from './verdict.js';

export interface DrillGlobalsInput {
  /** A local file, whose bytes were proved against its manifest. */
  path: string;
  manifest: Pick<Manifest, 'server' | 'programs'>;
  tools: Tools;
  scratchDir: string;
  signal: AbortSignal;
  log: (line: string) => void;
}

/**
 * Makes the roles of a server in a cluster that is thrown away, dumps them again and compares. The first superuser is passed over: a cluster
 * is born with it. Throws as `drillDatabase` does.
 */
export async function drillGlobals(input: DrillGlobalsInput): Promise<DrillResult> {
  try {
    const { differences, restoreMs } = await drill(input);
    if (differences.length === 0) return { outcome: 'verified', notes: [], restoreMs };
    return { outcome: 'failed', reason: few(differences).join('; '), notes: [], restoreMs };
  } catch (error) {
    return asVerdict(error);
  }
}

async function drill({ path, manifest, tools, scratchDir, signal, log }: DrillGlobalsInput) {
  const { server, programs: made } = manifest;
  const { pg_dumpall } = made;
  const programs = await findDrillPrograms(
    { ...(server !== undefined && { server }), programs: pg_dumpall === undefined ? {} : { pg_dump: pg_dumpall } },
    tools,
  );
  const sql = await readGlobals(path, { tools, signal });
  const roles = rolesOfGlobals(sql);
  const { bootstrap } = roles;
  const cluster = await startThrowawayCluster({ programs, scratchDir, bootstrap, objectCount: 0, signal });
  try {
    log(`making its roles in a PostgreSQL ${cluster.serverVersion} of its own`);
    const startedMs = performance.now();
    await makeRoles(cluster, roles);
    const restoreMs = Math.round(performance.now() - startedMs);
    return {
      differences: compare(statementsOf(sql), statementsOf(await dumpRoles(cluster, signal)), cluster),
      restoreMs,
    };
  } finally {
    await cluster.remove();
  }
}

async function dumpRoles(cluster: ThrowawayCluster, signal: AbortSignal): Promise<string> {
  const [pgDump] = cluster.tools.pgDumps;
  if (pgDump === undefined) throw new Unverifiable('there is no pg_dumpall here');
  const { path: file } = siblingClient(pgDump, 'pg_dumpall');
  const args = ['--roles-only', '--no-password', `--dbname=${CONNECTION_OPTIONS}`, '--database=postgres'];
  return withSession(cluster.login('postgres'), async ({ env }) => {
    const { stdout, finished } = startPipeline({ stages: [{ file, args, env }], stdout: 'pipe', signal });
    const pieces: Buffer[] = [];
    for await (const piece of stdout as AsyncIterable<Buffer>) pieces.push(piece);
    const results = await finished;
    throwIfAborted(signal);
    requireSuccess(results, 'dump the roles that were made');
    return Buffer.concat(pieces).toString('latin1');
  });
}

/** Statements that one side lacks, told without their ends: they hold hashes of passwords. */
function compare(artifact: readonly Statement[], made: readonly Statement[], cluster: ThrowawayCluster): string[] {
  const ours = [cluster.bootstrap, cluster.login('postgres').connection.user].map(latin1);
  const of = (statements: readonly Statement[]) =>
    new Map(statements.filter((s) => !isAbout(s, ours)).map((s) => [s.text.trim(), told(s)]));
  const [before, after] = [of(artifact), of(made)];
  const lacking = [...before].filter(([text]) => !after.has(text)).map(([, what]) => `not made again: ${what}`);
  const added = [...after].filter(([text]) => !before.has(text)).map(([, what]) => `made beside it: ${what}`);
  return [...lacking, ...added];
}

function isAbout({ words, tokens }: Statement, names: readonly string[]): boolean {
  const isRole = (words[0] === 'CREATE' || words[0] === 'ALTER') && words[1] === 'ROLE';
  return (
    (isRole && names.includes(nameOf(tokens[2]))) || !['CREATE', 'ALTER', 'GRANT', 'COMMENT'].includes(words[0] ?? '')
  );
}

function told({ tokens }: Statement): string {
  const text = tokens.slice(0, 4).map((token) => token.text);
  return Buffer.from(text.join(' '), 'latin1').toString('utf8');
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
