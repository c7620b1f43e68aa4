import type { BackupPartInput, BackupPartResult, BackupTargetResult } from '../domain/steps.js';
import { settleTarget, settleUnpolled, unfinished } from './settle-target.js';

/**
 * Some targets of a large run, one after the other, so that a run of thousands keeps a short history. Completes whatever becomes of them,
 * cancelled or not: how each ended is its result.
 */
export async function BackupPart(input: BackupPartInput): Promise<BackupPartResult> {
  const { targets, isUnpolled: wasUnpolled, ...common } = input;
  const isLate = () => Date.now() >= Date.parse(input.deadlineAt);
  const settled: BackupTargetResult[] = [];
  let isUnpolled = wasUnpolled;
  for (const target of targets) {
    const unpolled = isUnpolled ? await settleUnpolled(target) : undefined;
    const end =
      unpolled ?? (await settleTarget({ ...common, target }, (step) => unfinished(step, { isLate: isLate() })));
    settled.push(end);
    isUnpolled = end.isUnpolled ?? false;
  }
  return { settled, isUnpolled };
}
