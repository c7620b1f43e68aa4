import type { CatalogEntry } from '../domain/retention.js';
import type { BaseRuntime } from '../runtime.js';
import { currentLines, whyNotCounted } from './current-lines.js';
import type { FoundArtifact } from './list-artifacts.js';
import { ownService } from './own-service.js';

/** Why each is orphaned; the others are not in it. */
export type Orphans = ReadonlyMap<CatalogEntry, string>;

/** Artifacts of this service that no target of the file has any more: nothing removes them but a person. */
export async function findOrphans(runtime: BaseRuntime, found: readonly FoundArtifact[]): Promise<Orphans> {
  const { config } = runtime;
  const entries = found.map(({ entry }) => entry);
  const services = new Set(entries.map(({ manifest }) => manifest.service));
  const own = (await ownService(runtime)) ?? (services.size === 1 ? [...services][0] : undefined);
  const orphans = new Map<CatalogEntry, string>();
  if (own === undefined) return orphans;
  const lines = currentLines({ config, service: own, entries });
  for (const entry of entries.filter(({ manifest }) => manifest.service === own)) {
    const why = whyNotCounted(entry, { config, lines });
    if (why?.isOrphan === true) orphans.set(entry, why.reason);
  }
  return orphans;
}
