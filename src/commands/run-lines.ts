import { ORCHESTRATOR_QUEUE } from '../domain/task-queues.js';
import type { PendingStep } from '../domain/pending-step.js';
import type { TargetResult } from '../domain/outcome.js';
import type { RunReport } from '../domain/run.js';
import { formatBytes, formatDuration } from './format.js';
import type { RunView, TargetView } from './run-view.js';
import { isShown, notices } from './step-text.js';

/** What was last shown, of the run and of each target. */
export type ShownLines = Map<string, string>;

export const NO_WORKER = `waiting for a worker on ${ORCHESTRATOR_QUEUE}`;

/** A line for each thing that changed since `shown`, which is brought up to date: for a log, or a pipe. */
export function changedLines(shown: ShownLines, view: RunView, nowMs: number): string[] {
  const lines = headline(shown, view);
  const isNew = !view.answered && shown.get(NO_WORKER) !== 'said';
  shown.set(NO_WORKER, view.answered ? '' : 'said');
  if (isNew) lines.push(NO_WORKER);
  for (const step of view.steps.filter(isShown)) lines.push(...newNotices(shown, 'run', step, nowMs));
  for (const target of view.targets) {
    lines.push(...changeOf(shown, target));
    if (target.step !== undefined) lines.push(...newNotices(shown, target.target, target.step, nowMs));
  }
  return lines;
}

/** What stays above lines that live: the run's id, and each target that ended. */
export function endedLines(shown: ShownLines, view: RunView): string[] {
  const ended = view.targets.filter(({ phase }) => phase === 'done');
  return [...headline(shown, view), ...ended.flatMap((target) => changeOf(shown, target))];
}

/** A line for each target that is done or at work; of one that has no result, its phase. */
export function targetLines(targets: readonly TargetView[]): string[] {
  const shown: ShownLines = new Map();
  return targets.flatMap((target) => changeOf(shown, target));
}

function headline(shown: ShownLines, { run, targets }: RunView): string[] {
  if (run === undefined || shown.has('')) return [];
  shown.set('', run);
  return [`run ${run}: ${targets.length} ${targets.length === 1 ? 'target' : 'targets'}`];
}

function changeOf(shown: ShownLines, { target, kind, phase, result }: TargetView): string[] {
  if (phase === 'waiting' || (phase === 'done' && result === undefined)) return []; // its run has not heard of it yet
  const now = result === undefined ? phase : describeResult(result);
  const key = `${kind}/${target}`;
  if (shown.get(key) === now) return [];
  shown.set(key, now);
  return [`${target}: ${now}`];
}

function newNotices(shown: ShownLines, name: string, step: PendingStep, nowMs: number): string[] {
  return notices(step, nowMs).flatMap(({ key, text }) => {
    const shownKey = `${name} ${step.activity} ${step.id} ${key}`;
    if (shown.has(shownKey)) return [];
    shown.set(shownKey, text);
    return [`${name}: ${text}`];
  });
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

/** Those of the run and those of its targets. */
export function allWarnings({ targets, warnings }: Pick<RunReport, 'targets' | 'warnings'>): string[] {
  return [...targets.flatMap((t) => (t.warnings ?? []).map((warning) => `${t.target}: ${warning}`)), ...warnings];
}
