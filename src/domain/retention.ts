import type { Manifest } from './manifest.js';
import type { Pin } from './pin.js';
import { holdByRules, reasonToRemove, rulesOf, type Retention } from './retention-rules.js';
import { serverKey, sourceKey, type Source, type TargetKind } from './target.js';
import { failureOf, VERIFICATION_FORMAT, withDrillElsewhere, type Verification } from './verification.js';

/** An artifact as a destination's catalog shows it. */
export interface CatalogEntry {
  manifest: Manifest;
  /** `<run>/<artifact>`, relative to the destination's root. */
  path: string;
  /** Whether the artifact lies there with the size that its manifest names. Others are not counted and not removed. */
  whole: boolean;
  /** What is known of these bytes. */
  verification?: Verification;
  /** Absent: not pinned here. */
  pin?: Pin;
}

/** What may be counted, copied and restored: whole, as far as is known. */
export function isGood({ whole, verification }: Pick<CatalogEntry, 'whole' | 'verification'>): boolean {
  return whole && failureOf(verification) === undefined;
}

/**
 * With what drills of the same bytes found in another destination: a dump that does not restore from there restores from nowhere, even where
 * this destination could not be told.
 */
export function withDrillsElsewhere(
  entries: readonly CatalogEntry[],
  elsewhere: readonly CatalogEntry[],
): CatalogEntry[] {
  const others = new Map(elsewhere.map((entry) => [entry.path, entry]));
  return entries.map((entry): CatalogEntry => {
    const { artifact } = entry.manifest;
    const other = others.get(entry.path);
    const drill = other?.verification?.results.drill;
    if (drill === undefined || other?.manifest.artifact.sha256 !== artifact.sha256) return entry;
    const results = withDrillElsewhere(entry.verification?.results ?? {}, drill);
    const { name, sha256 } = artifact;
    return { ...entry, verification: { format: VERIFICATION_FORMAT, artifact: name, sha256, results } };
  });
}

/** A line of artifacts that retention may thin: one source of one target. */
export interface PruneLine extends Retention {
  target: string;
  kind: TargetKind;
  source: Source;
  /** How many artifacts of this line the run brought to this destination (its own, and late copies). */
  broughtCount: number;
}

export interface PruneInput {
  service: string;
  /** The run that prunes; absent when a person does, who is not held to `MAX_SURPLUS`. */
  run?: string;
  now: Date;
  entries: readonly CatalogEntry[];
  /** What may be thinned here; every other entry is kept. */
  lines: readonly PruneLine[];
}

export interface PruneDecision {
  entry: CatalogEntry;
  reason: string;
}

export interface PrunePlan {
  keep: PruneDecision[];
  remove: PruneDecision[];
  warnings: string[];
}

/** How many more artifacts than a run brought it may remove: more means that something is not as it was. */
export const MAX_SURPLUS = 3;

/**
 * Decides what of one destination's catalog goes. Every entry is in exactly one of `keep` and `remove`, each with its
 * reason. Of each line those good artifacts stay that its rules or a pin hold, and globals as long as a database of their run; the order is that
 * of `captureStartedAt`.
 */
export function planPrune(input: PruneInput): PrunePlan {
  const plan: PrunePlan = { keep: [], remove: [], warnings: [] };
  const lines = new Map(input.lines.map((line) => [lineKey(line), line]));
  const groups = [...groupByLine(input.service, input.entries, plan)];
  const isOfGlobals = ([, [first]]: (typeof groups)[number]) => first?.manifest.kind === 'globals';
  for (const [key, entries] of [...groups.filter((g) => !isOfGlobals(g)), ...groups.filter(isOfGlobals)]) {
    const line = lines.get(key);
    if (line === undefined) keepAll(plan, entries, 'no artifact of this target and source was committed here just now');
    else planLine(input, line, entries, plan);
  }
  return plan;
}

/** Databases that stay name roles, which the globals of their run have as they were then: each run of any of them makes globals. */
function holdForDatabases(good: readonly CatalogEntry[], { keep }: PrunePlan, held: Map<CatalogEntry, string[]>): void {
  const key = ({ manifest }: CatalogEntry) => `${manifest.run} ${serverKey(manifest.source)}`;
  const needed = new Map(
    keep
      .map(({ entry }) => entry)
      .filter((entry) => entry.manifest.kind === 'database' && isGood(entry))
      .map((entry) => [key(entry), entry.manifest.target]),
  );
  for (const entry of good) {
    const database = needed.get(key(entry));
    if (database !== undefined && !held.has(entry)) held.set(entry, [`the roles of ${database}, which stays`]);
  }
}

function planLine(input: PruneInput, line: PruneLine, entries: CatalogEntry[], plan: PrunePlan): void {
  const good = entries.filter(isGood).sort(newestFirst);
  keepAll(
    plan,
    entries.filter((e) => !e.whole),
    'its artifact is missing or has another size: not counted, left for you',
  );
  keepAll(
    plan,
    entries.filter((e) => e.whole && !isGood(e)),
    'it failed verification: not counted, left for you',
  );
  const rules = rulesOf(line);
  const held = holdByRules({ good, rules, now: input.now });
  if (line.kind === 'globals') holdForDatabases(good, plan, held);
  const isOfThisRun = (entry: CatalogEntry) => entry.manifest.run === input.run;
  const surplus = good.filter((e) => !held.has(e) && !isOfThisRun(e));
  const refusal = refusalOf(input, line, good, surplus);
  if (refusal !== undefined) {
    keepAll(plan, good, refusal);
    plan.warnings.push(`cannot prune ${line.target}: because ${refusal}`);
    return;
  }
  for (const [entry, reasons] of held) plan.keep.push({ entry, reason: reasons.join('; ') });
  const ownBeyond = good.filter((e) => !held.has(e) && isOfThisRun(e));
  keepAll(plan, ownBeyond, 'it is of the run that prunes');
  for (const entry of surplus) plan.remove.push({ entry, reason: reasonToRemove(rules) });
}

/** Why nothing of a line may be removed now, if so. */
function refusalOf(
  input: PruneInput,
  line: PruneLine,
  good: CatalogEntry[],
  surplus: CatalogEntry[],
): string | undefined {
  const newest = good[0];
  if (newest === undefined || surplus.length === 0) return undefined;
  if (startOf(newest) > input.now.getTime()) {
    return `the newest artifact (run ${newest.manifest.run}) was captured in the future: a clock was set back`;
  }
  if (input.run === undefined) return undefined;
  if (newest.manifest.run !== input.run) {
    return `the artifact of this run (${input.run}) is not the newest one there (${newest.manifest.run})`;
  }
  if (surplus.length > line.broughtCount + MAX_SURPLUS) {
    return (
      `${surplus.length} artifacts would go after ${line.broughtCount} came, more than a nightly run explains; ` +
      '`backupctl prune` removes them'
    );
  }
  return undefined;
}

function groupByLine(service: string, entries: readonly CatalogEntry[], plan: PrunePlan): Map<string, CatalogEntry[]> {
  const groups = new Map<string, CatalogEntry[]>();
  for (const entry of entries) {
    if (entry.manifest.service !== service) {
      keepAll(plan, [entry], `it belongs to another service (${entry.manifest.service})`);
      continue;
    }
    const key = lineKey(entry.manifest);
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return groups;
}

function keepAll(plan: PrunePlan, entries: readonly CatalogEntry[], reason: string): void {
  for (const entry of entries) plan.keep.push({ entry, reason });
}

/** Equal for what retention counts together. */
export function lineKey(line: { target: string; kind: TargetKind; source: Source }): string {
  return JSON.stringify([line.kind, line.target.toLowerCase(), sourceKey(line.source)]);
}

function newestFirst(a: CatalogEntry, b: CatalogEntry): number {
  return startOf(b) - startOf(a) || (b.manifest.run < a.manifest.run ? -1 : 1);
}

function startOf(entry: CatalogEntry): number {
  return Date.parse(entry.manifest.captureStartedAt);
}
