import { mapBounded } from './bounded.js';
import { writeChecksums } from './checksums.js';
import type { Destination } from './destinations/destination.js';
import { inRun, manifestName, RUN_PATTERN } from './domain/names.js';
import { readManifest } from './manifest-text.js';
import { REMOVAL_SUFFIX, removeBytes } from './removal.js';

const READS_AT_ONCE = 16;

interface Removal {
  run: string;
  /** Of the artifact. */
  path: string;
  /** Of the note. */
  note: string;
}

/**
 * Finishes what removals left, interrupted ones too: the bytes, the checksums of their runs, and last the notes. A
 * removal that had not come to the manifest is called off: its artifact is whole, and counts.
 */
export async function finishRemovals(destination: Destination): Promise<void> {
  const there = new Set((await destination.list()).map(({ path }) => path));
  const notes = [...there].filter((path) => path.endsWith(REMOVAL_SUFFIX));
  const found = await mapBounded(notes, READS_AT_ONCE, (note) => readNote(destination, note));
  const removals = found.filter((removal) => removal !== undefined);
  for (const { path } of removals) {
    if (!there.has(manifestName(path))) await removeBytes(destination, path);
  }
  for (const run of new Set(removals.map((removal) => removal.run))) await writeChecksums({ destination, run });
  for (const { note } of removals) await destination.remove(note);
}

/** What cannot be read, or names another place, is no note of ours. */
async function readNote(destination: Destination, note: string): Promise<Removal | undefined> {
  const path = note.slice(0, -REMOVAL_SUFFIX.length);
  if (!RUN_PATTERN.test(path.split('/')[0] ?? '')) return undefined;
  const text = await destination.readText(note);
  if (text === undefined) return undefined;
  try {
    const { run, artifact } = readManifest(text);
    return inRun(run, artifact.name) === path ? { run, path, note } : undefined;
  } catch {
    return undefined;
  }
}
