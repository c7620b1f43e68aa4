import { BackupError } from '../domain/errors.js';

export interface FieldRule {
  /** For messages: `minute`. */
  label: string;
  lowest: number;
  highest: number;
  /** Names of its values, upper case, the first standing for `lowest`. */
  names?: readonly string[];
  /** Whether `?` may stand for `*`. */
  mayAsk?: boolean;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const;
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;

export const FIELD_RULES = {
  second: { label: 'second', lowest: 0, highest: 59 },
  minute: { label: 'minute', lowest: 0, highest: 59 },
  hour: { label: 'hour', lowest: 0, highest: 23 },
  dayOfMonth: { label: 'day of month', lowest: 1, highest: 31, mayAsk: true },
  month: { label: 'month', lowest: 1, highest: 12, names: MONTHS },
  // 7 is Sunday too.
  dayOfWeek: { label: 'day of week', lowest: 0, highest: 7, names: DAYS, mayAsk: true },
  year: { label: 'year', lowest: 2000, highest: 2100 },
} as const satisfies Record<string, FieldRule>;

const ITEM = /^(?:(\*|\?)|([A-Z]+|\d+)(?:-([A-Z]+|\d+))?)(?:\/(\d+))?$/;

export interface Field {
  /** With numbers alone; `*` and steps stay. */
  text: string;
  /** Whether it holds back any value: cron takes one that begins with `*` for one that does not. */
  restricted: boolean;
  values: ReadonlySet<number>;
}

/** Reads one field; throws a BackupError (`ConfigInvalid`) that says what is wrong with it. */
export function parseField(written: string, rule: FieldRule): Field {
  const items = written
    .toUpperCase()
    .split(',')
    .map((item) => parseItem(item, rule));
  const texts = items.map((item) => item.text);
  return {
    text: texts.includes('*') ? '*' : texts.join(','),
    restricted: !/^[*?]/.test(written),
    values: new Set(items.flatMap((item) => item.values)),
  };
}

function parseItem(item: string, rule: FieldRule): { text: string; values: number[] } {
  const [, star, from, to, step] = ITEM.exec(item) ?? refuse(item, rule);
  if (star === '?' && rule.mayAsk !== true) refuse(item, rule);
  const first = from === undefined ? rule.lowest : valueOf(from, rule);
  const last = to === undefined ? (from === undefined ? rule.highest : first) : valueOf(to, rule);
  const stride = step === undefined ? 1 : Number(step);
  const isStepOfOne = step !== undefined && from !== undefined && to === undefined;
  if (last < first || stride < 1 || stride > rule.highest - rule.lowest || isStepOfOne) refuse(item, rule);
  const values = [];
  for (let value = first; value <= last; value += stride) values.push(value);
  return rule === FIELD_RULES.dayOfWeek
    ? weekDays(star, step, values)
    : { text: textOf({ star, first, last, to, step }), values };
}

/** Sunday is 0 in what we hand on: not everybody takes 7, least of all in a range. */
function weekDays(
  star: string | undefined,
  step: string | undefined,
  days: number[],
): { text: string; values: number[] } {
  const values = [...new Set(days.map((day) => day % 7))].sort((one, other) => one - other);
  const text = star !== undefined && step === undefined ? '*' : values.join(',');
  return { text, values };
}

interface ItemParts {
  star: string | undefined;
  first: number;
  last: number;
  to: string | undefined;
  step: string | undefined;
}

function textOf({ star, first, last, to, step }: ItemParts): string {
  const range = star !== undefined ? '*' : to === undefined ? String(first) : `${String(first)}-${String(last)}`;
  return step === undefined ? range : `${range}/${step}`;
}

function valueOf(written: string, rule: FieldRule): number {
  const named = rule.names?.indexOf(written) ?? -1;
  const value = named === -1 ? Number(written) : named + rule.lowest;
  // NaN, of a name that is none, fails both comparisons.
  if (!(value >= rule.lowest && value <= rule.highest)) refuse(written, rule);
  return value;
}

function refuse(item: string, { label, lowest, highest, names }: FieldRule): never {
  const known = names === undefined ? '' : `, or ${String(names[0])} to ${String(names.at(-1))}`;
  throw new BackupError('ConfigInvalid', `${JSON.stringify(item)} is no ${label}`, {
    hint: `write numbers from ${String(lowest)} to ${String(highest)}${known}, as in *, 1,2, 1-5 or */2`,
  });
}
