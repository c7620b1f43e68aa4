const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The names of the periods that a moment lies in. */
export interface CalendarDay {
  /** `2026-11-24`. */
  day: string;
  /** ISO 8601, whose year may be another one: `2026-W48`. */
  week: string;
  /** `2026-11`. */
  month: string;
  /** `2026`. */
  year: string;
}

/** The day of a moment in a time zone, as its clocks showed it, summer time included. */
export function calendarDay(momentMs: number, timeZone: string): CalendarDay {
  const parts = formatOf(timeZone).formatToParts(momentMs);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  const year = part('year').padStart(4, '0');
  const month = `${year}-${part('month')}`;
  const week = isoWeek(Date.UTC(Number(year), Number(part('month')) - 1, Number(part('day'))));
  return { day: `${month}-${part('day')}`, week, month, year };
}

/** Making one takes longer than all else here. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const options = { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  const made = new Intl.DateTimeFormat('en-CA', { ...options, calendar: 'iso8601', numberingSystem: 'latn' });
  formats.set(timeZone, made);
  return made;
}

/** A week belongs to the year of its Thursday. */
function isoWeek(midnightMs: number): string {
  const daysSinceMonday = (new Date(midnightMs).getUTCDay() + 6) % 7;
  const thursdayMs = midnightMs + (3 - daysSinceMonday) * DAY_MS;
  const year = new Date(thursdayMs).getUTCFullYear();
  const week = Math.floor((thursdayMs - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${String(year).padStart(4, '0')}-W${String(week).padStart(2, '0')}`;
}
