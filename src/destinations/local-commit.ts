import { chmod, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackupError } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import { inRun, manifestName, partName } from '../domain/names.js';
import { readManifest, sealManifest } from '../manifest-text.js';
import type { FileFacts } from './destination.js';
import { codeOf, isMissing, naming } from './local-errors.js';
import { isThere, makeDirectory, syncDirectory, syncFile } from './local-files.js';
import { publish, removeParts } from './local-publish.js';
import { createTextFile } from './local-text.js';
import { checkedPath } from './object-path.js';

/** Which artifact, in which backup directory. */
export interface ArtifactPlace {
  /** The backup directory. */
  root: string;
  run: string;
  /** File name. */
  artifact: string;
}

/** The file that one attempt writes to. */
export interface PartFile {
  path: string;
  token: string;
}

export interface CreatePartInput extends ArtifactPlace {
  /** The attempt's own word, letters and digits. */
  token: string;
  /** Default: 0o600; 0o660 where a volume's helper writes it as the group. Not narrowed by the umask. */
  mode?: number;
}

/** Makes an empty part, and the run's directory where it is missing. The backup directory itself has to be there. */
export async function createPart({ root, run, artifact, token, mode = 0o600 }: CreatePartInput): Promise<PartFile> {
  const path = join(root, checkedPath(inRun(run, partName(artifact, token))));
  return naming(`create ${path}`, async () => {
    for (;;) {
      await makeDirectory(dirname(path));
      try {
        await (await open(path, 'wx', mode)).close();
        await chmod(path, mode);
        return { path, token };
      } catch (error) {
        // A prune that found the run's directory empty removed it just now.
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    }
  });
}

export interface CommitInput extends ArtifactPlace {
  /** Absent: only finishes what an earlier attempt left. */
  part?: PartFile;
  /** Proves a file, reading all of it; throws where it is no good. */
  prove: (path: string) => Promise<FileFacts>;
  /** `earlier`: the file is not this attempt's own, but one that another attempt named and left without manifest. */
  describe: (facts: FileFacts, found: 'own' | 'earlier') => Manifest;
}

/**
 * Makes a part the artifact: synced, proved, linked to its name, then the manifest in the same way. A name that is taken is never
 * replaced: with a manifest, that one is returned; without, what is there is proved and gets its manifest. The part is gone when this
 * resolves; when it rejects, the part is the caller's to remove. Throws `Damaged` for a manifest that cannot be read.
 */
export async function commitArtifact(input: CommitInput): Promise<Manifest> {
  const paths = pathsOf(input);
  return naming(`commit ${paths.artifact}`, async () => {
    const manifest =
      (await readCommitted(paths)) ?? (await commitManifest(await commitBytes(input, paths), paths, input.part?.token));
    if (input.part !== undefined) await rm(input.part.path, { force: true });
    return manifest;
  });
}

/** Names the bytes and describes them. */
async function commitBytes({ part, prove, describe }: CommitInput, { artifact }: Paths): Promise<Manifest> {
  if (part !== undefined && !(await isThere(artifact))) {
    await syncFile(part.path);
    const facts = await prove(part.path);
    if ((await publish({ part: part.path, final: artifact })) === 'published') return describe(facts, 'own');
  }
  // Whoever named it may have died before the name was on the disk.
  await syncFile(artifact);
  await syncDirectory(dirname(artifact));
  return describe(await prove(artifact), 'earlier');
}

async function commitManifest(manifest: Manifest, paths: Paths, token?: string): Promise<Manifest> {
  if ((await createTextFile(paths.manifest, sealManifest(manifest), token)) === 'created') return manifest;
  const other = await readCommitted(paths);
  if (other === undefined)
    throw new BackupError('Conflict', `cannot commit ${paths.artifact}: because its manifest came and went`);
  return other;
}

/** The manifest of a committed artifact, `unfinished` for one that has its name but no manifest. */
export async function findCommitted(place: ArtifactPlace): Promise<Manifest | 'unfinished' | undefined> {
  const paths = pathsOf(place);
  return naming(`look for ${paths.artifact}`, async () => {
    const manifest = await readCommitted(paths);
    if (manifest !== undefined) return manifest;
    return (await isThere(paths.artifact)) ? 'unfinished' : undefined;
  });
}

export interface StalePartsInput extends ArtifactPlace {
  exceptToken: string;
}

/** Removes the parts of dead attempts at an artifact and its manifest. A zombie that wakes up cannot commit after this. */
export async function removeStaleParts({ root, run, artifact, exceptToken }: StalePartsInput): Promise<void> {
  const path = join(root, checkedPath(inRun(run, artifact)));
  await naming(`remove old parts of ${path}`, () => removeParts(path, partName(artifact, exceptToken)));
}

interface Paths {
  artifact: string;
  manifest: string;
}

function pathsOf({ root, run, artifact }: ArtifactPlace): Paths {
  const path = join(root, checkedPath(inRun(run, artifact)));
  return { artifact: path, manifest: manifestName(path) };
}

async function readCommitted(paths: Paths): Promise<Manifest | undefined> {
  const text = await readFile(paths.manifest, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const manifest = readManifest(text);
  const found = await stat(paths.artifact).catch(() => undefined);
  if (found?.size !== manifest.artifact.sizeBytes) {
    throw new BackupError(
      'Damaged',
      `cannot use ${paths.artifact}: because it has ${found === undefined ? 'gone' : `${found.size} bytes`}, and its manifest names ${manifest.artifact.sizeBytes}`,
    );
  }
  await syncDirectory(dirname(paths.manifest));
  return manifest;
}
