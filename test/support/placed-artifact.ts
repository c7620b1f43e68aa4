import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCatalog } from '../../src/catalog.js';
import type { Destination } from '../../src/destinations/destination.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { artifactName, inRun } from '../../src/domain/names.js';
import { digestFile } from '../../src/pipeline/digest.js';
import { aManifest } from './manifest.js';

export interface PlacedArtifact {
  target: string;
  run: string;
  /** Default: what `run` reads as in UTC. */
  captureStartedAt?: string;
  /** Default: `middle-earth`. */
  service?: string;
  /** Default: `default`. */
  host?: string;
  /** Default: a database of the name of the target on one system. */
  source?: Manifest['source'];
}

/** Puts an artifact of a few bytes into each destination, as a run leaves it there; its content restores nothing. */
export async function placeArtifact(
  destinations: readonly Destination[],
  { target, run, ...changes }: PlacedArtifact,
): Promise<Manifest> {
  const kind = changes.source?.kind ?? 'database';
  const name = artifactName({ target, kind, run, compression: 'gzip' });
  const directory = await mkdtemp(join(tmpdir(), 'placed-'));
  try {
    const file = join(directory, name);
    await writeFile(file, `${target} of ${run}\n`);
    const facts = await digestFile(file);
    const manifest = aManifest({
      ...{ target, kind, run, captureStartedAt: momentOf(run) },
      source: { kind: 'database', systemIdentifier: '7400000000000000001', database: target },
      ...changes,
      artifact: { name, compression: 'gzip', compressionLevel: 6, ...facts },
    });
    for (const destination of destinations) {
      const options = { signal: new AbortController().signal, onProgress: () => undefined };
      await destination.putFile(inRun(run, name), file, facts, options);
      await createCatalog(destination).commit(manifest);
    }
    return manifest;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `20261124_030000` as `2026-11-24T03:00:00.000Z`. */
function momentOf(run: string): string {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/.exec(run) ?? [];
  return `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}.000Z`;
}
