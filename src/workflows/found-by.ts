import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common';
import { CancellationScope, upsertSearchAttributes } from '@temporalio/workflow';
import type { RunOutcome, TargetOutcome } from '../domain/outcome.js';
import { SEARCH_ATTRIBUTES, fittingNames } from '../domain/search-attributes.js';
import { inWorkflowTask } from './activities.js';

const TARGETS = defineSearchAttributeKey('BackupTargets', SEARCH_ATTRIBUTES.BackupTargets);
const FAILED_TARGETS = defineSearchAttributeKey('BackupFailedTargets', SEARCH_ATTRIBUTES.BackupFailedTargets);
const OUTCOME = defineSearchAttributeKey('BackupOutcome', SEARCH_ATTRIBUTES.BackupOutcome);
const RUN_ID = defineSearchAttributeKey('BackupRunId', SEARCH_ATTRIBUTES.BackupRunId);

/** What a workflow can be found by from now on; what is left out stays as it is. */
export interface FoundBy {
  run?: string;
  /** Names; those that do not fit are left out, the last first. */
  targets?: readonly string[];
  failedTargets?: readonly string[];
  outcome?: RunOutcome | TargetOutcome;
}

/**
 * Sets search attributes, where the namespace has them. One that it lacks fails the workflow's task, which is then tried again for ever: so
 * a local activity asks in that same task, and asks anew whenever the task is tried again. Never throws.
 */
export async function setFoundBy(found: FoundBy): Promise<void> {
  const isThere = await CancellationScope.nonCancellable(() => inWorkflowTask.hasSearchAttributes()).catch(() => false);
  if (isThere) upsertSearchAttributes(pairsOf(found));
}

function pairsOf({ run, targets = [], failedTargets = [], outcome }: FoundBy): SearchAttributeUpdatePair[] {
  return [
    ...(run === undefined ? [] : [{ key: RUN_ID, value: run }]),
    ...(targets.length === 0 ? [] : [{ key: TARGETS, value: fittingNames(targets) }]),
    ...(failedTargets.length === 0 ? [] : [{ key: FAILED_TARGETS, value: fittingNames(failedTargets) }]),
    ...(outcome === undefined ? [] : [{ key: OUTCOME, value: outcome }]),
  ];
}
