import type { Manifest } from '../domain/manifest.js';
import type { DrillResult } from '../domain/verification.js';
import { storedFormat } from '../pipeline/stored-reader.js';
import type { Tools } from '../pipeline/tools.js';
import { compareWithArtifact, type Comparison } from './compare-with-artifact.js';
import { makeRoles, planRoles } from './prepare-roles.js';
import { readArtifact } from './read-dump.js';
import { restoreInto } from './restore-into.js';
import { findDrillPrograms } from './server-programs.js';
import { startThrowawayCluster } from './throwaway-cluster.js';
import { asVerdict, few } from './verdict.js';

export interface DrillDatabaseInput {
  /** A local file, whose bytes were proved against its manifest. */
  path: string;
  manifest: Manifest;
  tools: Tools;
  /** The globals of the same server and run, where they are kept. */
  globalsPath?: string;
  /** Where there is room for the whole database. */
  scratchDir: string;
  signal: AbortSignal;
  /** Told all bytes that moved so far: read from the artifact, restored, and dumped to be compared. */
  onProgress: (bytesDone: number) => void;
  log: (line: string) => void;
}

/**
 * Restores the artifact of a database into a cluster that is thrown away, dumps that and compares: what was backed up is what
 * comes back. Throws Cancelled, and a BackupError for trouble of the drill's own (no room, a server that does not start),
 * which says nothing about the artifact.
 */
export async function drillDatabase(input: DrillDatabaseInput): Promise<DrillResult> {
  const notes: string[] = [];
  try {
    const { restoreMs, comparison } = await drill(input, notes);
    notes.push(...few(comparison.renderings).map((text) => `only written in another way: ${text}`));
    const { differences } = comparison;
    if (differences.length === 0) return { outcome: 'verified', notes, restoreMs };
    return { outcome: 'failed', reason: few(differences).join('; '), notes, restoreMs };
  } catch (error) {
    return asVerdict(error, notes);
  }
}

async function drill(
  input: DrillDatabaseInput,
  notes: string[],
): Promise<{ restoreMs: number; comparison: Comparison }> {
  const { path, manifest, globalsPath, scratchDir, signal, onProgress, log } = input;
  const programs = await findDrillPrograms(manifest, input.tools);
  const { tools } = programs;
  log(`reading ${path}`);
  const moved = cumulative(onProgress);
  const file = { path, format: storedFormat(manifest), tools };
  const artifact = await readArtifact(file, { signal, onProgress: moved() });
  const planned = await planRoles({ manifest, contents: artifact, tools, signal, ...(globalsPath && { globalsPath }) });
  notes.push(...planned.notes);
  const { bootstrap } = planned;
  const cluster = await startThrowawayCluster({
    ...{ programs, scratchDir, bootstrap, signal },
    objectCount: artifact.entries.size,
  });
  try {
    log(`restoring it into a PostgreSQL ${cluster.serverVersion} of its own${userOf(cluster.serverUser)}`);
    await makeRoles(cluster, planned);
    const { database, restoreMs } = await restoreInto({ cluster, path, manifest, onProgress: moved() });
    log('comparing what was restored');
    const compared = { cluster, database, manifest, artifact, signal, onProgress: moved() };
    const comparison = await compareWithArtifact(compared);
    return { restoreMs, comparison };
  } finally {
    await cluster.remove();
  }
}

/** Progress that goes on where the phase before it ended; each call begins a phase. */
function cumulative(onProgress: (bytesDone: number) => void): () => (bytesDone: number) => void {
  let bytesMoved = 0;
  return () => {
    const bytesBefore = bytesMoved;
    return (bytesDone) => {
      bytesMoved = bytesBefore + bytesDone;
      onProgress(bytesMoved);
    };
  };
}

function userOf(name: string | undefined): string {
  return name === undefined ? '' : `, run by the user ${name}`;
}
