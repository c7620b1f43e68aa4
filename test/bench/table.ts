import { isReached, median, ratioOf, type Goal, type Row, type Samples, type Unit } from './row.js';

const HEAD = ['what', 'measured', 'reference', 'ratio', 'to reach', 'reached', 'remarks'];

/** The rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(cellsOf);
  const widths = HEAD.map((head, column) => Math.max(...[head, ...cells.map((c) => c[column] ?? '')].map(lengthOf)));
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - lengthOf(text))).join(' | ')} |`;
  return [line(HEAD), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

/** Everything that was measured, for programs. */
export function jsonOf(rows: readonly Row[]): object[] {
  return rows.map((row) => {
    const [ratio, reached] = [ratioOf(row), isReached(row)];
    return { ...row, median: row.samples === 'missing' ? undefined : median(row.samples), ratio, reached };
  });
}

function cellsOf(row: Row): string[] {
  const { what, samples, unit, reference, goal, note = '' } = row;
  const ratio = ratioOf(row);
  return [
    what.replaceAll('|', '\\|'),
    shown(samples, unit),
    reference === undefined ? '' : referenceText(reference, unit),
    ratio === undefined ? '' : ratio.toFixed(2),
    goal === undefined ? '' : goalText(goal, unit),
    { true: 'yes', false: '**no**', undefined: '' }[String(isReached(row))] ?? '',
    note.replaceAll('|', '\\|'),
  ];
}

function referenceText({ name, samples }: NonNullable<Row['reference']>, unit: Unit): string {
  return `${name.replaceAll('|', '\\|')}: ${shown(samples, unit)}`;
}

function goalText({ of, is, value }: Goal, unit: Unit): string {
  return `${is === 'at most' ? '≤' : '≥'} ${of === 'ratio' ? String(value) : withUnit(value, unit)}`;
}

/** The median, and what it lies between. */
function shown(samples: Samples, unit: Unit): string {
  if (samples === 'missing') return 'not installed here';
  const text = withUnit(median(samples), unit);
  if (samples.length === 1) return text;
  return `${text} (${digits(Math.min(...samples))} to ${digits(Math.max(...samples))})`;
}

function withUnit(value: number, unit: Unit): string {
  return `${digits(value)} ${unit}`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function lengthOf(text: string): number {
  return [...text].length;
}
