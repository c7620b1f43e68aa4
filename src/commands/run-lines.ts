import type { TargetResult } from '../domain/outcome.js';
import type { RunReport } from '../domain/run.js';
import type { RunProgress } from '../domain/steps.js';
import { formatBytes, formatDuration } from './format.js';

/** What was last shown of each target. */
export type ShownPhases = Map<string, string>;

/** A line for each target that changed since `shown`, which is brought up to date. */
export function changedLines(shown: ShownPhases, progress: RunProgress): string[] {
  const lines: string[] = [];
  if (progress.run !== undefined && !shown.has('')) {
    shown.set('', progress.run);
    lines.push(`run ${progress.run}: ${progress.targets.length} targets`);
  }
  for (const { target, kind, phase, result } of progress.targets) {
    const now = result === undefined ? phase : describeResult(result);
    const key = `${kind}/${target}`;
    if (phase === 'waiting' || shown.get(key) === now) continue;
    shown.set(key, now);
    lines.push(`${target}: ${now}`);
  }
  return lines;
}

function describeResult({ outcome, artifact, sizeBytes, durationMs, error }: TargetResult): string {
  const what = artifact === undefined ? '' : ` ${artifact}`;
  const size = sizeBytes === undefined ? '' : `, ${formatBytes(sizeBytes)}`;
  const time = durationMs === undefined ? '' : ` in ${formatDuration(durationMs)}`;
  return `${outcome}${what}${size}${time}${error === undefined ? '' : `: ${error}`}`;
}

/** The last lines of a followed run. */
export function describeReport({ run, outcome, targets }: RunReport): string[] {
  const counts = (['succeeded', 'failed', 'skipped', 'cancelled'] as const)
    .map((o) => ({ o, n: targets.filter((t) => t.outcome === o).length }))
    .filter(({ n }) => n > 0)
    .map(({ o, n }) => `${n} ${o}`);
  return [`run ${run}: ${outcome}${counts.length === 0 ? '' : ` (${counts.join(', ')})`}`];
}
