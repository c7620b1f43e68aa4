import type { CatalogEntry, PruneInput, PruneLine } from '../../src/domain/retention.js';

/**
 * What README.md and docs/configuration.md say of retention, artifact by artifact and without any thought of speed. It shares no code with
 * `planPrune`, its calendar neither: zones are a table, weeks are counted from the fourth of January.
 */
export interface Verdict {
  isKept: boolean;
  /** All that hold it; empty where it is for another reason. */
  rules: string[];
}

export function verdictsOf(input: PruneInput): Map<CatalogEntry, Verdict> {
  const verdicts = new Map<CatalogEntry, Verdict>();
  for (const line of input.lines) {
    const ours = input.entries.filter((e) => isOfLine(e, line, input.service));
    const good = ours.filter((e) => e.whole && !hasFailed(e));
    const rules = new Map(good.map((e) => [e, rulesThatHold(e, good, line, input.now)]));
    const leaving = good.filter((e) => rules.get(e)?.length === 0 && e.manifest.run !== input.run);
    const isHalted = leaving.length > 0 && mustHalt(input, line, good, leaving.length);
    for (const e of good) verdicts.set(e, { isKept: isHalted || !leaving.includes(e), rules: rules.get(e) ?? [] });
  }
  for (const e of input.entries) if (!verdicts.has(e)) verdicts.set(e, { isKept: true, rules: [] });
  return verdicts;
}

function isOfLine({ manifest: m }: CatalogEntry, line: PruneLine, service: string): boolean {
  const hasName = m.target.toUpperCase() === line.target.toUpperCase() && m.kind === line.kind;
  return m.service === service && hasName && JSON.stringify(m.source) === JSON.stringify(line.source);
}

function hasFailed({ verification }: CatalogEntry): boolean {
  return Object.values(verification?.results ?? {}).some((result) => result.outcome === 'failed');
}

/** A clock was set back, the run that prunes brought nothing newer, or more would go than it explains. */
function mustHalt({ run, now }: PruneInput, line: PruneLine, good: CatalogEntry[], leavingCount: number): boolean {
  const [newest] = good.filter((e) => good.every((other) => other === e || isNewer(e, other)));
  if (newest === undefined || momentOf(newest) > now.getTime()) return true;
  return run !== undefined && (newest.manifest.run !== run || leavingCount > line.broughtCount + 3);
}

function rulesThatHold(e: CatalogEntry, good: CatalogEntry[], line: PruneLine, now: Date): string[] {
  if (e.pin !== undefined) return [e.pin.note === undefined ? 'pinned' : `pinned: ${e.pin.note}`];
  const counted = good.filter((other) => other.pin === undefined);
  const rules = rulesAmong(e, counted, line);
  const days = (line.retention?.minAgeMs ?? 0) / 86_400_000;
  if (momentOf(e) + days * 86_400_000 > now.getTime() && days > 0) rules.push(`younger than ${days}d`);
  if (rules.length > 0 || e.manifest.suspicious !== undefined) return rules;
  const unsuspected = counted.filter((other) => other.manifest.suspicious === undefined);
  const others = rulesAmong(e, unsuspected, line);
  return others.length === 0 ? [] : [`without the suspicious ones: ${others.join(', ')}`];
}

const PERIODS = [
  ['daily', dayOf],
  ['weekly', weekOf],
  ['monthly', (moment: number, zone: string) => dayOf(moment, zone).slice(0, 7)],
  ['yearly', (moment: number, zone: string) => dayOf(moment, zone).slice(0, 4)],
] as const;

function rulesAmong(e: CatalogEntry, among: CatalogEntry[], { retention, retentionCount }: PruneLine): string[] {
  const held: string[] = [];
  const newer = among.filter((other) => isNewer(other, e));
  const newerCount = newer.length;
  const count = retention === undefined ? retentionCount : retention.count;
  if (count !== undefined && newerCount < count) held.push(`${newerCount + 1} of the ${count} newest`);
  if (count === undefined && newerCount === 0) held.push('the newest');
  for (const [rule, periodOf] of PERIODS) {
    const limit = retention?.[rule];
    if (limit === undefined || retention === undefined) continue;
    const labelOf = (other: CatalogEntry) =>
      remembered(`${rule} ${retention.timezone} ${momentOf(other)}`, () =>
        periodOf(momentOf(other), retention.timezone),
      );
    const own = labelOf(e);
    const newerPeriods = newer.map(labelOf);
    const isLastOfItsPeriod = !newerPeriods.includes(own);
    if (isLastOfItsPeriod && new Set(newerPeriods).size < limit) held.push(`${rule} ${own}`);
  }
  return held;
}

function isNewer(one: CatalogEntry, other: CatalogEntry): boolean {
  const [a, b] = [momentOf(one), momentOf(other)];
  return a === b ? one.manifest.run > other.manifest.run : a > b;
}

function momentOf(e: CatalogEntry): number {
  const moment = moments.get(e) ?? new Date(e.manifest.captureStartedAt).getTime();
  moments.set(e, moment);
  return moment;
}

const moments = new WeakMap<CatalogEntry, number>();
const memory = new Map<string, string>();

/** Brute force asks for the same ones again and again. */
function remembered(question: string, answer: () => string): string {
  const known = memory.get(question) ?? answer();
  if (memory.size > 1_000) memory.clear();
  memory.set(question, known);
  return known;
}

/** Minutes east of Greenwich. */
const OFFSETS: Record<string, (moment: number) => number> = {
  UTC: () => 0,
  'Asia/Kathmandu': () => 5 * 60 + 45,
  'America/Sao_Paulo': () => -3 * 60,
  'Europe/Berlin': (moment) => {
    const year = new Date(moment).getUTCFullYear();
    const [begin, end] = [lastSunday(year, 3), lastSunday(year, 10)].map((day) => day + 3_600_000);
    return moment >= (begin ?? 0) && moment < (end ?? 0) ? 120 : 60;
  },
  'America/St_Johns': (moment) => {
    const year = new Date(moment).getUTCFullYear();
    const begin = sundayFrom(year, 3, 8) + 5.5 * 3_600_000;
    const end = sundayFrom(year, 11, 1) + 4.5 * 3_600_000;
    return moment >= begin && moment < end ? -150 : -210;
  },
};
export const ORACLE_ZONES = Object.keys(OFFSETS);

function sundayFrom(year: number, month: number, firstDay: number): number {
  let day = firstDay;
  while (new Date(Date.UTC(year, month - 1, day)).getUTCDay() !== 0) day += 1;
  return Date.UTC(year, month - 1, day);
}

function lastSunday(year: number, month: number): number {
  let day = 31; // both months in question have so many
  while (new Date(Date.UTC(year, month - 1, day)).getUTCDay() !== 0) day -= 1;
  return Date.UTC(year, month - 1, day);
}

function dayOf(moment: number, zone: string): string {
  const offset = OFFSETS[zone]?.(moment) ?? Number.NaN;
  return new Date(moment + offset * 60_000).toISOString().slice(0, 10);
}

/** Week 1 is that of the fourth of January. */
function weekOf(moment: number, zone: string): string {
  const monday = mondayBefore(new Date(dayOf(moment, zone)));
  const year = new Date(monday + 3 * 86_400_000).getUTCFullYear();
  const weeks = (monday - mondayBefore(new Date(Date.UTC(year, 0, 4)))) / (7 * 86_400_000);
  return `${year}-W${String(weeks + 1).padStart(2, '0')}`;
}

function mondayBefore(date: Date): number {
  const day = new Date(date);
  while (day.getUTCDay() !== 1) day.setUTCDate(day.getUTCDate() - 1);
  return day.getTime();
}
