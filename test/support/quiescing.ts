import type { QuiescePolicy } from '../../src/domain/target.js';
import { listRecords, type QuiesceRecord } from '../../src/sources/quiesce/record.js';
import { quiescing, type Quiesce, type QuiesceInput } from '../../src/sources/quiesce/quiesce.js';
import { testDirectory } from './volume-attempt.js';

export interface QuiesceAttempt {
  quiesce: Quiesce;
  root: string;
  log: string[];
}

/** An attempt to bring containers to rest, with a backup directory of its own. */
export async function quiesceAttempt(
  policy: Partial<QuiescePolicy>,
  changes: Partial<QuiesceInput> = {},
): Promise<QuiesceAttempt> {
  const root = changes.root ?? (await testDirectory());
  const log: string[] = [];
  const quiesce = quiescing({
    target: 'files',
    run: '20261124_030000',
    policy: { how: 'stop', containers: [], maxDowntimeMs: 600_000, ...policy },
    root,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    log: (line) => log.push(line),
    ...changes,
  });
  return { quiesce, root, log };
}

/** The records in a backup directory; undefined for one that cannot be read. */
export async function recordsIn(root: string): Promise<(QuiesceRecord | undefined)[]> {
  return (await listRecords(root)).map(({ record }) => record);
}
