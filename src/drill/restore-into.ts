import type { Manifest } from '../domain/manifest.js';
import { BackupError } from '../domain/errors.js';
import { restoreDatabase } from '../sources/postgres/restore.js';
import { runSql, withSession } from '../sources/postgres/connection.js';
import { quoteIdentifier } from '../sources/postgres/quoting.js';
import { judged } from './complaints.js';
import type { ThrowawayCluster } from './throwaway-cluster.js';
import { DrillFailed } from './verdict.js';

export interface RestoreIntoInput {
  cluster: ThrowawayCluster;
  path: string;
  manifest: Manifest;
  onProgress: (bytesDone: number) => void;
}

/** Restores the artifact as `backupctl restore` does; returns the database's name and how long it took. */
export async function restoreInto(input: RestoreIntoInput): Promise<{ database: string; restoreMs: number }> {
  const { cluster, manifest, path, onProgress } = input;
  const database = await freeName(cluster, manifest);
  const startedMs = performance.now();
  const login = cluster.login('postgres', cluster.bootstrap);
  try {
    await restoreDatabase({ ...login, into: database, artifactPath: path, manifest, noOwner: false, onProgress });
  } catch (error) {
    throw verdictOf(error);
  }
  return { database, restoreMs: Math.round(performance.now() - startedMs) };
}

/** Its own name, since functions and conditions may ask for it. */
async function freeName(cluster: ThrowawayCluster, { source }: Manifest): Promise<string> {
  const name = source.kind === 'database' ? source.database : 'drill';
  if (name === 'template1' || name === 'template0') return 'drill';
  if (name === 'postgres') await runIn(cluster, 'template1', `DROP DATABASE ${quoteIdentifier(name)};`);
  return name;
}

/** A role that is missing is found before anything is made. */
function verdictOf(error: unknown): unknown {
  if (error instanceof BackupError && error.code === 'NotFound' && error.cause === undefined) {
    return new DrillFailed(error.message.replace(/^.*: because /, ''));
  }
  return judged(error);
}

export async function runIn(cluster: ThrowawayCluster, database: string, sql: string): Promise<string> {
  return withSession(cluster.login(database), (session) => runSql(session, sql));
}
