import type { RunReport } from '../domain/run.js';
import type { RunProgress } from '../domain/steps.js';
import { formatBytes, formatDuration } from '../domain/quantities.js';
import { plainLine, tableRow } from './markdown.js';

type Row = RunProgress['targets'][number];
type Status = 'waiting' | 'at work' | 'succeeded' | 'failed' | 'skipped' | 'cancelled';

const SHOWN_ROWS = 100;
const SHOWN_WARNINGS = 10;
/** Errors before numbers: the Web UI shows a table in half a window, and cuts the rest. */
const HEAD = [
  tableRow(['target', 'kind', 'phase', 'error', 'size', 'duration']),
  '| --- | --- | --- | --- | ---: | ---: |',
];
const ORDER: Status[] = ['failed', 'at work', 'waiting', 'succeeded', 'skipped', 'cancelled'];

/**
 * What the Web UI shows of a run, as Markdown: counts, and a row for each target, failures first, then those at work. There may be thousands
 * of targets, and as many changes: the rows are bounded, and only one that changed is written anew.
 */
export class RunDetails {
  readonly #rows: Row[] = [];
  readonly #written = new Map<Row, { status: Status; text: string }>();
  readonly #byStatus: Record<Status, Set<Row>> = {
    ...{ waiting: new Set(), 'at work': new Set(), succeeded: new Set() },
    ...{ failed: new Set(), skipped: new Set(), cancelled: new Set() },
  };

  /** A row that is new or has changed. */
  set(row: Row): void {
    const before = this.#written.get(row);
    if (before === undefined) this.#rows.push(row);
    else this.#byStatus[before.status].delete(row);
    const status = statusOf(row);
    this.#byStatus[status].add(row);
    this.#written.set(row, { status, text: textOf(row, status) });
  }

  render({ run, report }: Pick<RunProgress, 'run' | 'report'>): string {
    if (run === undefined) return 'Planning.';
    const shown = this.#shown();
    const left = this.#rows.length - shown.length;
    const more = left > 0 ? ['', `… and ${grouped(left)} more`] : [];
    return [this.#headline(run, report), '', ...HEAD, ...shown, ...more, ...warningLines(report)].join('\n');
  }

  #headline(run: string, report: RunReport | undefined): string {
    const counts = ORDER.map((status) => ({ status, count: this.#byStatus[status].size }))
      .filter(({ count }) => count > 0)
      .map(({ status, count }) => `${count} ${status}`);
    const isLeft = this.#byStatus.waiting.size + this.#byStatus['at work'].size > 0;
    const now = report?.outcome ?? (isLeft ? 'going on' : 'pruning and reporting');
    const targets = `${this.#rows.length} ${this.#rows.length === 1 ? 'target' : 'targets'}`;
    return `**Run ${run}**: ${now}, ${targets}: ${counts.join(', ') || 'none'}`;
  }

  #shown(): string[] {
    const shown: string[] = [];
    const { failed, 'at work': atWork } = this.#byStatus;
    const take = (rows: Iterable<Row>) => {
      for (const row of rows) {
        if (shown.length === SHOWN_ROWS) return;
        shown.push(this.#written.get(row)?.text ?? '');
      }
    };
    take(failed);
    take(atWork);
    // Not all rows are looked at: those that are passed over stand in the table already.
    if (shown.length < SHOWN_ROWS) take(this.#others(failed, atWork));
    return shown;
  }

  *#others(...sets: Set<Row>[]): Iterable<Row> {
    for (const row of this.#rows) if (!sets.some((set) => set.has(row))) yield row;
  }
}

function statusOf({ phase, result }: Row): Status {
  if (result !== undefined) return result.outcome;
  return phase === 'waiting' ? 'waiting' : 'at work';
}

function textOf({ target, kind, result }: Row, status: Status): string {
  const size = result?.sizeBytes === undefined ? '' : unbroken(formatBytes(result.sizeBytes));
  const duration = result?.durationMs === undefined ? '' : unbroken(formatDuration(result.durationMs));
  return tableRow([plainLine(target), kind, unbroken(status), plainLine(result?.error ?? ''), size, duration]);
}

function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00a0');
}

function warningLines(report: RunReport | undefined): string[] {
  const warnings = report?.warnings ?? [];
  if (warnings.length === 0) return [];
  const left = warnings.length - SHOWN_WARNINGS;
  const more = left > 0 ? [`- … and ${grouped(left)} more`] : [];
  return ['', 'Warnings:', '', ...warnings.slice(0, SHOWN_WARNINGS).map((w) => `- ${plainLine(w)}`), ...more];
}

/** `4,900`; `toLocaleString` would take most of the time of thousands of changes. */
function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
