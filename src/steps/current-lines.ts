import type { Config } from '../config/config.js';
import { isGood, lineKey, type CatalogEntry, type PruneLine } from '../domain/retention.js';
import { mayComeFrom } from '../domain/target.js';
import { findConfigured } from './configured-target.js';

export interface CurrentLinesInput {
  config: Config;
  service: string;
  entries: readonly CatalogEntry[];
}

/** Of each enabled target the line that it has now: that of its newest good artifact, wherever it lies, which its entry does not contradict. */
export function currentLines({ config, service, entries }: CurrentLinesInput): PruneLine[] {
  return [...config.targets, ...config.globals].flatMap((target) => {
    const { name, kind, retentionCount, retention } = target;
    const [newest] = entries
      .filter((entry) => isGood(entry) && entry.manifest.service === service && entry.manifest.kind === kind)
      .filter(({ manifest: m }) => m.target.toLowerCase() === name.toLowerCase() && mayComeFrom(m.source, target))
      .sort((one, other) => startOf(other) - startOf(one));
    if (newest === undefined) return [];
    const kept = { retentionCount, ...(retention !== undefined && { retention }) };
    return [{ target: name, kind, source: newest.manifest.source, ...kept, broughtCount: 0 }];
  });
}

/** Why retention of no target counts an artifact of this service; undefined where that of one does. */
export function whyNotCounted(
  { manifest }: CatalogEntry,
  { config, lines }: { config: Config; lines: readonly PruneLine[] },
): { reason: string; isOrphan: boolean } | undefined {
  const configured = findConfigured(config, manifest.target);
  if (configured === undefined || configured.kind !== manifest.kind)
    return { reason: 'its target is no longer in the file', isOrphan: true };
  if (configured.state.is === 'disabled') return { reason: 'its target is disabled', isOrphan: false };
  if (configured.state.is === 'refused') return { reason: 'the entry of its target has an error', isOrphan: false };
  const key = lineKey(manifest);
  if (lines.some((line) => lineKey(line) === key)) return undefined;
  return { reason: 'its target has another source now, whose artifacts are counted on their own', isOrphan: true };
}

function startOf({ manifest }: CatalogEntry): number {
  return Date.parse(manifest.captureStartedAt);
}
