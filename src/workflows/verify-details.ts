import { formatDuration } from '../domain/quantities.js';
import type { VerifyTargetResult } from '../domain/verify-run.js';
import { plainLine, tableRow } from './markdown.js';

const SHOWN_ROWS = 100;
const HEAD = [
  tableRow(['target', 'kind', 'method', 'outcome', 'reason', 'restore']),
  '| --- | --- | --- | --- | --- | ---: |',
];

/** What the Web UI shows of verifications, as Markdown: what is not verified first, bounded. */
export function verifyDetails(results: readonly VerifyTargetResult[], waiting = 0): string {
  const order = { failed: 0, unverified: 1, verified: 2 };
  const sorted = [...results].sort((one, other) => order[one.outcome] - order[other.outcome]);
  const counts = (Object.keys(order) as (keyof typeof order)[])
    .map((outcome) => ({ outcome, count: results.filter((r) => r.outcome === outcome).length }))
    .filter(({ count }) => count > 0)
    .map(({ outcome, count }) => `${count} ${outcome}`);
  if (waiting > 0) counts.push(`${waiting} to come`);
  const left = sorted.length - SHOWN_ROWS;
  const more = left > 0 ? ['', `… and ${left} more`] : [];
  return [
    counts.join(', ') || 'nothing to verify',
    '',
    ...HEAD,
    ...sorted.slice(0, SHOWN_ROWS).map(rowOf),
    ...more,
  ].join('\n');
}

function rowOf({ target, kind, method, outcome, reason, restoreMs }: VerifyTargetResult): string {
  const restore = restoreMs === undefined ? '' : formatDuration(restoreMs).replaceAll(' ', '\u00a0');
  return tableRow([plainLine(target), kind, method, outcome, plainLine(reason ?? ''), restore]);
}
