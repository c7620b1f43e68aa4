import type { RunRecord } from '../domain/run.js';
import type { RunOutcome, TargetOutcome, TargetResult } from '../domain/outcome.js';
import { inRun } from '../domain/names.js';
import type { TargetKind } from '../domain/target.js';

/** A value with the start of the run that it is from; milliseconds since the epoch. */
export interface Dated<T> {
  atMs: number;
  value: T;
}

/** What the records of runs say last of one target. */
export interface TargetHistory {
  outcome: Dated<TargetOutcome> | undefined;
  durationMs: Dated<number> | undefined;
  sizeBytes: Dated<number> | undefined;
  /** Captured, and copied to each destination. */
  success: Dated<true> | undefined;
  /** An artifact was read back and found whole, as each capture does before it counts; a copy may have failed. */
  verified: Dated<true> | undefined;
  /** The newest: `path` is relative to the directory's root. */
  artifact: Dated<{ path: string; name: string; sha256: string }> | undefined;
}

export interface RunHistory {
  lastRun: Dated<RunOutcome> | undefined;
  targets: Map<string, TargetHistory>;
}

/** Of a target in `RunHistory.targets`. */
export function historyKey({ kind, target }: { kind: TargetKind; target: string }): string {
  return `${kind}/${target}`;
}

/** Adds a run that has ended. The order in which records are added makes no difference. */
export function addRecord(history: RunHistory, { run, startedAt, outcome, targets }: RunRecord): void {
  if (outcome === 'running') return;
  const atMs = Date.parse(startedAt);
  history.lastRun = newer(history.lastRun, { atMs, value: outcome });
  for (const result of targets) {
    const key = historyKey(result);
    history.targets.set(key, withResult(history.targets.get(key), result, { run, atMs }));
  }
}

function withResult(
  last: TargetHistory | undefined,
  result: TargetResult,
  { run, atMs }: { run: string; atMs: number },
): TargetHistory {
  const { outcome, durationMs, sizeBytes, artifact: name, sha256, verification } = result;
  const isWhole = name !== undefined && verification?.outcome !== 'failed';
  const artifact = name === undefined || sha256 === undefined ? undefined : { path: inRun(run, name), name, sha256 };
  const dated = <T>(value: T | undefined) => (value === undefined ? undefined : { atMs, value });
  return {
    outcome: newer(last?.outcome, dated(outcome)),
    durationMs: newer(last?.durationMs, dated(durationMs)),
    sizeBytes: newer(last?.sizeBytes, dated(sizeBytes)),
    success: newer(last?.success, dated(outcome === 'succeeded' ? true : undefined)),
    verified: newer(last?.verified, dated(isWhole ? true : undefined)),
    artifact: newer(last?.artifact, dated(artifact)),
  };
}

function newer<T>(last: Dated<T> | undefined, found: Dated<T> | undefined): Dated<T> | undefined {
  if (last === undefined || found === undefined) return last ?? found;
  return found.atMs >= last.atMs ? found : last;
}
