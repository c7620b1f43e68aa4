import { createCatalog } from './catalog.js';
import type { Destination } from './destinations/destination.js';
import { CHECKSUMS_NAME, inRun } from './domain/names.js';

export interface ChecksumsInput {
  destination: Destination;
  run: string;
}

/** Rewrites the `SHA256SUMS` of a run from its manifests, as `sha256sum -c` reads it; there is none without artifacts. */
export async function writeChecksums({ destination, run }: ChecksumsInput): Promise<void> {
  const path = inRun(run, CHECKSUMS_NAME);
  const { entries } = await createCatalog(destination).list({ run });
  if (entries.length === 0) return destination.remove(path);
  const lines = entries.map(({ manifest: { artifact } }) => ({
    name: artifact.name,
    line: `${artifact.sha256}  ${artifact.name}\n`,
  }));
  lines.sort((one, other) => (one.name < other.name ? -1 : 1));
  await destination.replaceText(path, lines.map(({ line }) => line).join(''));
}
