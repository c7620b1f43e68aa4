import { Cron } from 'croner';
import { BackupError } from '../domain/errors.js';
import { FIELD_RULES, parseField, type Field, type FieldRule } from './cron-field.js';

const { second, minute, hour, dayOfMonth, month, dayOfWeek, year } = FIELD_RULES;
const RULES: Record<number, readonly FieldRule[]> = {
  5: [minute, hour, dayOfMonth, month, dayOfWeek],
  7: [second, minute, hour, dayOfMonth, month, dayOfWeek, year],
};
const SHORTHANDS: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export interface ParsedSchedule {
  /**
   * For Temporal, which fires where *all* fields match: two expressions where both day fields are restricted, since cron
   * means either of them. Numbers only, Sunday is 0.
   */
  expressions: string[];
}

/**
 * Reads five cron fields (minute, hour, day of month, month, day of week), seven (second before, year behind) or `@daily`
 * and its like. Throws a BackupError (`ConfigInvalid`) that says what is wrong.
 */
export function parseSchedule(text: string): ParsedSchedule {
  const trimmed = text.trim();
  const words = (trimmed.startsWith('@') ? shorthand(trimmed) : trimmed).split(/\s+/);
  const rules = RULES[words.length] ?? refuse(`it has ${String(words.length)} fields`);
  const fields = words.map((word, index) => parseField(word, rules[index] as FieldRule));
  const at = (rule: FieldRule) => rules.indexOf(rule);
  const days = fields[at(dayOfMonth)] as Field;
  const weekDays = fields[at(dayOfWeek)] as Field;
  const isEither = days.restricted && weekDays.restricted;
  if (!isEither && !hasDay(days, fields[at(month)] as Field)) refuse('no month it names has such a day');
  const without = (rule: FieldRule) => fields.map((field, index) => (index === at(rule) ? '*' : field.text)).join(' ');
  if (isEither) return { expressions: [without(dayOfWeek), without(dayOfMonth)] };
  return { expressions: [fields.map((field) => field.text).join(' ')] };
}

function shorthand(text: string): string {
  return SHORTHANDS[text.toLowerCase()] ?? refuse(`${JSON.stringify(text)} is not known`);
}

function hasDay(days: Field, months: Field): boolean {
  const longest = Math.max(...[...months.values].map((value) => LONGEST_MONTHS[value - 1] ?? 0));
  return Math.min(...days.values) <= longest;
}

function refuse(why: string): never {
  const known = Object.keys(SHORTHANDS).join(', ');
  throw new BackupError('ConfigInvalid', why, {
    hint: `write five fields, as in "0 3 * * *" (minute, hour, day of month, month, day of week), or one of ${known}`,
  });
}

const HORIZON_MS = 400 * 86_400_000;
/** Looking further costs more than it finds: what fires this often repeats itself within hours. */
const MOST_FIRES = 2000;

/**
 * The shortest time between two fires in the 400 days after `from` (or the next two fires, where they lie further apart),
 * in milliseconds. Infinity where it fires once or never again. The hour that repeats in autumn counts once: its second
 * fire would leave a nightly run an hour, all the year round.
 */
export function shortestGapMs(text: string, timezone: string, from: Date): number {
  const horizon = from.getTime() + HORIZON_MS;
  const wallClock = new Intl.DateTimeFormat('sv', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
  let shortest = Infinity;
  let last: { at: number; wall: string } | undefined;
  let count = 0;
  for (const at of firesAfter(parseSchedule(text).expressions, timezone, from)) {
    const wall = wallClock.format(at);
    if (last !== undefined && wall <= last.wall) continue;
    if (last !== undefined) shortest = Math.min(shortest, at - last.at);
    last = { at, wall };
    if ((at > horizon && shortest < Infinity) || ++count >= MOST_FIRES) break;
  }
  return shortest;
}

/** The fires of all expressions together in order, each instant once. */
function* firesAfter(expressions: readonly string[], timezone: string, from: Date): Generator<number> {
  const heads = expressions.map((expression) => {
    const cron = new Cron(expression, {
      timezone,
      domAndDow: true,
      mode: expression.split(' ').length === 7 ? '7-part' : '5-part',
    });
    return { cron, next: cron.nextRun(from) };
  });
  for (;;) {
    const times = heads.flatMap(({ next }) => (next === null ? [] : [next.getTime()]));
    if (times.length === 0) return;
    const earliest = Math.min(...times);
    yield earliest;
    for (const head of heads) if (head.next?.getTime() === earliest) head.next = head.cron.nextRun(head.next);
  }
}
