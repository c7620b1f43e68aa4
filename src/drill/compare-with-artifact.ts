import type { DatabaseProperties, Manifest } from '../domain/manifest.js';
import { withSession } from '../sources/postgres/connection.js';
import { createStatement } from '../sources/postgres/create.js';
import { readProperties } from '../sources/postgres/properties.js';
import { quoteIdentifier } from '../sources/postgres/quoting.js';
import { compareDumps, isRendering, type Difference } from './compare-dumps.js';
import { judged } from './complaints.js';
import type { DumpContents } from './dump-contents.js';
import { feedSql } from './feed-sql.js';
import { readDatabase } from './read-dump.js';
import { runIn } from './restore-into.js';
import type { ThrowawayCluster } from './throwaway-cluster.js';

const AGAIN = 'drill_again';

export interface CompareInput {
  cluster: ThrowawayCluster;
  /** The one that was restored. */
  database: string;
  manifest: Pick<Manifest, 'database' | 'server'>;
  artifact: DumpContents;
  signal: AbortSignal;
  onProgress: (bytesDone: number) => void;
}

export interface Comparison {
  /** What is not as it was; empty: all of it is. */
  differences: string[];
  /** What is only written in another way. */
  renderings: string[];
}

/** Dumps what was restored and compares that, and the properties of the database, with the artifact and its manifest. */
export async function compareWithArtifact(input: CompareInput): Promise<Comparison> {
  const { cluster, database, artifact, signal, onProgress } = input;
  const properties = await compareProperties(input);
  if (input.manifest.database?.allowConnections === false) {
    await runIn(cluster, 'template1', `ALTER DATABASE ${quoteIdentifier(database)} ALLOW_CONNECTIONS true;`);
  }
  const restored = await readDatabase(cluster, database, { signal, onProgress });
  const found = compareDumps(artifact, restored);
  const renderings = await renderingsOf(found, restored, input);
  const differences = found.filter((difference) => !renderings.includes(difference)).map(({ text }) => text);
  return { differences: [...properties, ...differences], renderings: renderings.map(({ text }) => text) };
}

async function compareProperties({ cluster, database, manifest }: CompareInput): Promise<string[]> {
  const found = await withSession(cluster.login('template1'), (session) => readProperties(session, database));
  const expected = manifest.database;
  if (expected === undefined) return [];
  const names = new Set([...Object.keys(expected), ...Object.keys(found)] as (keyof DatabaseProperties)[]);
  return [...names]
    .filter((name) => JSON.stringify(expected[name]) !== JSON.stringify(found[name]))
    .map((name) => `the database differs in ${name}`);
}

/** Restores the schema alone once more, where definitions differ, to tell how PostgreSQL writes from what was lost. */
async function renderingsOf(found: Difference[], restored: DumpContents, input: CompareInput): Promise<Difference[]> {
  const { cluster, manifest, artifact, signal } = input;
  if (!found.some(({ definitionOf }) => definitionOf !== undefined)) return [];
  const name = input.database === AGAIN ? `${AGAIN}_more` : AGAIN;
  await makeSchema(cluster, name, manifest, artifact);
  const again = await readDatabase(cluster, name, { signal, schemaOnly: true });
  return found.filter((difference) => isRendering(difference, restored, again));
}

async function makeSchema(
  cluster: ThrowawayCluster,
  name: string,
  { database: properties, server }: CompareInput['manifest'],
  { schema }: DumpContents,
): Promise<void> {
  if (properties === undefined || server === undefined) return;
  const serverVersionNumber = server.versionNumber;
  await runIn(cluster, 'template1', createStatement({ name, properties, serverVersionNumber, withOwner: true }));
  try {
    await feedSql({
      login: cluster.login(name, cluster.bootstrap),
      statements: schema,
      what: 'restore the schema once more',
    });
  } catch (error) {
    throw judged(error);
  }
}
