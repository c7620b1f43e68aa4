import type { Destination } from './destinations/destination.js';
import { inRun, manifestName, RUN_PATTERN } from './domain/names.js';
import type { CatalogEntry } from './domain/retention.js';
import { readManifest, sealManifest } from './manifest-text.js';

// A manifest that is on its way out: it says what is ours to remove when the manifest itself is gone already.
const REMOVAL_SUFFIX = '.removing.json';
const COMPANION_SUFFIXES = ['.verified.json', '.pin'];

/** Whether `name` notes a removal that is under way. */
export function isRemovalName(name: string): boolean {
  return name.endsWith(REMOVAL_SUFFIX);
}

/**
 * Removes an artifact: a note of it, the manifest, then the artifact and what lies beside it. Interrupted anywhere, it
 * leaves a whole artifact, or one without manifest, which is none, and the note.
 */
export async function removeArtifact(destination: Destination, { manifest, path }: CatalogEntry): Promise<void> {
  await destination.createText(path + REMOVAL_SUFFIX, sealManifest(manifest));
  await destination.remove(manifestName(path));
  await removeRest(destination, path);
}

/** Finishes the removals that were interrupted, and returns how many. One that had not removed the manifest yet is called off. */
export async function finishRemovals(destination: Destination): Promise<number> {
  const objects = await destination.list();
  const there = new Set(objects.map((object) => object.path));
  const notes = [...there].filter((path) => isRemovalName(path) && RUN_PATTERN.test(path.split('/')[0] ?? ''));
  let finished = 0;
  for (const note of notes) {
    const path = await artifactOf(destination, note);
    if (path === undefined) continue;
    if (there.has(manifestName(path))) {
      await destination.remove(note);
      continue;
    }
    await removeRest(destination, path);
    finished += 1;
  }
  return finished;
}

async function removeRest(destination: Destination, path: string): Promise<void> {
  await destination.remove(path);
  for (const suffix of COMPANION_SUFFIXES) await destination.remove(path + suffix);
  await destination.remove(path + REMOVAL_SUFFIX);
}

/** The path of the artifact that a note is about; a note that cannot be read, or lies elsewhere, is about none. */
async function artifactOf(destination: Destination, note: string): Promise<string | undefined> {
  const text = await destination.readText(note);
  if (text === undefined) return undefined;
  const path = note.slice(0, -REMOVAL_SUFFIX.length);
  try {
    const { run, artifact } = readManifest(text);
    return inRun(run, artifact.name) === path ? path : undefined;
  } catch {
    return undefined;
  }
}
