import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMissing, naming } from '../destinations/local-errors.js';
import type { LocalDestination } from '../destinations/local.js';
import { BackupError } from '../domain/errors.js';
import { digestFile } from '../pipeline/digest.js';
import { locationOf, type FoundArtifact } from './list-artifacts.js';
import type { StepContext } from './step.js';

export interface RetrieveInput {
  found: FoundArtifact;
  /** The backup directory of this host: what lies there is used where it lies, and what is fetched is kept there meanwhile. */
  local: LocalDestination;
  /** Of the restore that it is for: stands in the name of what is fetched. Default: none. */
  restoreToken?: string;
}

const DOWNLOAD_PREFIX = '.restore-';

/**
 * Hands `use` a file with the artifact's bytes, every one of them checked. What was fetched for it is removed afterwards,
 * whatever happens. Errors: Damaged where the bytes are not those of the manifest, and those of destination and disk.
 */
export async function withArtifactFile<T>(
  input: RetrieveInput,
  step: StepContext,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const { destination, entry } = input.found;
  if (destination !== input.local) return withDownload(input, step, use);
  const path = input.local.pathOf(entry.path);
  await checkBytes(path, input.found, step);
  return use(path);
}

async function checkBytes(path: string, found: FoundArtifact, { signal, onProgress, log }: StepContext): Promise<void> {
  const { artifact } = found.entry.manifest;
  log(`checking ${path}`);
  const { sizeBytes, sha256 } = await naming(`read ${path}`, () => digestFile(path, { signal, onProgress }));
  if (sizeBytes === artifact.sizeBytes && sha256 === artifact.sha256) return;
  const reason = `its SHA-256 is ${sha256}, and its manifest names ${artifact.sha256}`;
  throw new BackupError('Damaged', `cannot restore from ${locationOf(found)}: because ${reason}`, {
    hint: 'take the copy of another destination by --from, or another run by --run; keep the damaged file until that worked',
  });
}

/** The bytes of another destination, checked as they come; see `withArtifactFile`. */
export async function withDownload<T>(
  { found, local, restoreToken = '' }: RetrieveInput,
  { signal, onProgress, log }: StepContext,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const { destination, entry } = found;
  const { artifact } = entry.manifest;
  const directory = await makeRestoreDirectory(local.root, restoreToken);
  try {
    const path = join(directory, artifact.name);
    log(`fetching ${locationOf(found)}`);
    await destination.fetchFile(entry.path, path, artifact, { signal, onProgress });
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Readable by this user alone (0700). The backup directory has the room; without one (a new host) there is `TMPDIR`. */
export async function makeRestoreDirectory(root: string, restoreToken: string): Promise<string> {
  const prefix = DOWNLOAD_PREFIX + restoreToken;
  return naming(`make room in ${root}`, async () => {
    try {
      return await mkdtemp(join(root, prefix));
    } catch (error) {
      if (isMissing(error)) return mkdtemp(join(tmpdir(), prefix));
      throw error;
    }
  });
}

/** Paths of downloads in the backup directory that were begun before a moment (milliseconds since the epoch). */
export async function findOldDownloads(root: string, beforeMs: number): Promise<string[]> {
  const names = (await readdir(root)).filter((name) => name.startsWith(DOWNLOAD_PREFIX));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(root, name);
      const { mtimeMs } = await stat(path);
      return mtimeMs < beforeMs ? path : undefined;
    }),
  );
  return found.filter((path) => path !== undefined).sort();
}

/** Removes what killed attempts of one restore had fetched. */
export async function sweepDownloads(root: string, restoreToken: string): Promise<void> {
  for (const directory of [root, tmpdir()]) {
    const names = await readdir(directory).catch(() => []); // a new host has no backup directory
    for (const name of names.filter((n) => n.startsWith(DOWNLOAD_PREFIX + restoreToken)))
      await rm(join(directory, name), { recursive: true, force: true });
  }
}
