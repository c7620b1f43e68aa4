import { artifactName } from '../../src/domain/names.js';
import type { RunRecord } from '../../src/domain/run.js';

export interface RecordChanges extends Partial<Omit<RunRecord, 'targets'>> {
  run: string;
  /** Databases of which it left an artifact; default: none, one that failed. */
  artifacts?: readonly string[];
}

/** The record of a run that has ended. */
export function aRunRecord({ artifacts = [], ...changes }: RecordChanges): RunRecord {
  const { run } = changes;
  const [year, month, day] = [run.slice(0, 4), run.slice(4, 6), run.slice(6, 8)];
  const startedAt = `${year}-${month}-${day}T${run.slice(9, 11)}:${run.slice(11, 13)}:${run.slice(13)}.000Z`;
  const kept = artifacts.map((target) => ({
    ...{ target, kind: 'database' as const, outcome: 'succeeded' as const },
    artifact: artifactName({ target, kind: 'database', run, compression: 'gzip' }),
  }));
  return {
    service: 'middle-earth',
    directoryId: 'directory-1',
    workflowId: `backup-run-${run}`,
    trigger: 'schedule',
    startedAt,
    finishedAt: startedAt,
    outcome: artifacts.length > 0 ? 'succeeded' : 'failed',
    targets: kept.length > 0 ? kept : [{ target: 'mordor', kind: 'database', outcome: 'failed', error: 'cannot' }],
    warnings: [],
    ...changes,
  };
}
