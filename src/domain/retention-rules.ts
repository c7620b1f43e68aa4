import { calendarDay, type CalendarDay } from './calendar.js';
import { durationText } from './quantities.js';
import type { CatalogEntry } from './retention.js';

/** What of one line stays: the union of what each of these holds, and always the newest good one. */
export interface RetentionRules {
  /** The newest ones. */
  count?: number;
  /** The last one of each of so many days, ISO weeks, months and years, the most recent ones that have any. */
  daily?: number;
  weekly?: number;
  monthly?: number;
  yearly?: number;
  /** Whatever is younger than this. */
  minAgeMs?: number;
  /** IANA: where days begin. */
  timezone: string;
}

/** Retention as it travels with a target, from the plan to each prune. */
export interface Retention {
  /** How many of the newest good artifacts each destination keeps, at least 1: all that earlier versions go by. */
  retentionCount: number;
  /** Absent: `retentionCount` says it all. */
  retention?: RetentionRules;
}

export function rulesOf({ retentionCount, retention }: Retention): RetentionRules {
  return retention ?? { count: Math.max(1, retentionCount), timezone: 'UTC' };
}

const PERIODS = [
  ['daily', 'day'],
  ['weekly', 'week'],
  ['monthly', 'month'],
  ['yearly', 'year'],
] as const satisfies [keyof RetentionRules, keyof CalendarDay][];

export interface HoldInput {
  /** The good artifacts of one line, newest first. */
  good: readonly CatalogEntry[];
  rules: RetentionRules;
  now: Date;
}

/**
 * Which artifacts stay, each with every rule that holds it; what is not among them may go. A pinned one stays and is not
 * counted. What is suspicious pushes nothing out: the rules hold what they hold of all, and what they hold of the others.
 */
export function holdByRules({ good, rules, now }: HoldInput): Map<CatalogEntry, string[]> {
  const counted = good.filter(({ pin }) => pin === undefined);
  const held = holdCounted(counted, rules);
  for (const entry of counted) {
    if (rules.minAgeMs === undefined || now.getTime() - startOf(entry) >= rules.minAgeMs) continue;
    add(held, entry, `younger than ${durationText(rules.minAgeMs)}`);
  }
  const sound = counted.filter(({ manifest }) => manifest.suspicious === undefined);
  if (sound.length < counted.length) {
    for (const [entry, reasons] of holdCounted(sound, rules)) {
      if (!held.has(entry)) add(held, entry, `without the suspicious ones: ${reasons.join(', ')}`);
    }
  }
  for (const { pin, entry } of good.map((entry) => ({ pin: entry.pin, entry }))) {
    if (pin !== undefined) add(held, entry, pin.note === undefined ? 'pinned' : `pinned: ${pin.note}`);
  }
  return held;
}

function holdCounted(entries: readonly CatalogEntry[], rules: RetentionRules): Map<CatalogEntry, string[]> {
  const held = new Map<CatalogEntry, string[]>();
  const { count } = rules;
  entries.slice(0, count ?? 1).forEach((entry, i) => {
    add(held, entry, count === undefined ? 'the newest' : `${i + 1} of the ${count} newest`);
  });
  const days = PERIODS.some(([rule]) => rules[rule] !== undefined)
    ? entries.map((entry) => calendarDay(startOf(entry), rules.timezone))
    : [];
  for (const [rule, period] of PERIODS) {
    const seen = new Set<string>();
    for (const [i, day] of days.entries()) {
      const entry = entries[i];
      if (entry === undefined || seen.size >= (rules[rule] ?? 0) || seen.has(day[period])) continue;
      seen.add(day[period]);
      add(held, entry, `${rule} ${day[period]}`);
    }
  }
  return held;
}

function add(held: Map<CatalogEntry, string[]>, entry: CatalogEntry, reason: string): void {
  held.set(entry, [...(held.get(entry) ?? []), reason]);
}

/** Why an artifact goes. */
export function reasonToRemove(rules: RetentionRules): string {
  const isCountAlone = rules.minAgeMs === undefined && PERIODS.every(([rule]) => rules[rule] === undefined);
  return isCountAlone ? `older than the ${rules.count ?? 1} newest` : `no rule holds it (${rulesText(rules)})`;
}

/** `5 newest, 7 daily, younger than 3d`. */
export function rulesText(rules: RetentionRules): string {
  const periods = PERIODS.flatMap(([rule]) => (rules[rule] === undefined ? [] : [`${rules[rule]} ${rule}`]));
  const age = rules.minAgeMs === undefined ? [] : [`younger than ${durationText(rules.minAgeMs)}`];
  return [`${rules.count ?? 1} newest`, ...periods, ...age].join(', ');
}

function startOf(entry: CatalogEntry): number {
  return Date.parse(entry.manifest.captureStartedAt);
}
