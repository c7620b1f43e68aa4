import { writeFile } from 'node:fs/promises';
import type { FileFacts } from '../../src/destinations/destination.js';
import {
  commitArtifact,
  createPart,
  findCommitted,
  removeStaleParts,
  type ArtifactPlace,
} from '../../src/destinations/local-commit.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { digestFile } from '../../src/pipeline/digest.js';
import { aManifest } from './manifest.js';

export interface CommitAttempt {
  place: ArtifactPlace;
  token: string;
  /** What this attempt captures. */
  text: string;
  /** Awaited at the end of the proof, and before the manifest is written: where a test holds an attempt up. */
  onProved?: () => Promise<void>;
}

/** One attempt at an artifact, as a capture makes it. */
export async function attemptCommit({ place, token, text, onProved }: CommitAttempt): Promise<Manifest> {
  await removeStaleParts({ ...place, exceptToken: token });
  const prove = async (path: string) => {
    const facts = await digestFile(path);
    await onProved?.();
    return facts;
  };
  const describe = (facts: FileFacts, found: 'own' | 'earlier') => manifestOf(place, facts, `${token}, ${found}`);
  const found = await findCommitted(place);
  if (found === 'unfinished') return commitArtifact({ ...place, prove, describe });
  if (found !== undefined) return found;
  const part = await createPart({ ...place, token });
  await writeFile(part.path, text);
  return commitArtifact({ ...place, part, prove, describe });
}

function manifestOf(place: ArtifactPlace, facts: FileFacts, by: string): Manifest {
  const artifact = { name: place.artifact, compression: 'gzip' as const, compressionLevel: 6, ...facts };
  return aManifest({ run: place.run, artifact, warnings: [by] });
}
