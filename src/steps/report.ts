import { writeChecksums } from '../checksums.js';
import type { Destination } from '../destinations/destination.js';
import { readIdentity } from '../directory-identity.js';
import type { RunRecord } from '../domain/run.js';
import type { ReportRunInput } from '../domain/steps.js';
import { leaveLateRecords } from '../late-records.js';
import type { Runtime } from '../runtime.js';
import { writeRunRecord } from '../run-records.js';

/** Leaves the record of a run and its checksums in the directory of this host. */
export async function recordRun({ local }: Runtime, input: ReportRunInput): Promise<void> {
  const id = (await readIdentity(local.root))?.id ?? '';
  await leave(local, recordOf(input, id));
}

/**
 * The same in the orchestrator's directory and in every destination that all hosts share. Returns warnings: the artifacts are there
 * without them.
 */
export async function reportRun(runtime: Runtime, input: ReportRunInput): Promise<string[]> {
  const { plan, report } = input;
  const { local } = runtime;
  if (plan.reserved) await recordRun(runtime, input);
  const isEmpty = report.targets.every((target) => target.artifact === undefined);
  if (!plan.reserved && isEmpty) return [];
  const id = plan.reserved ? ((await readIdentity(local.root))?.id ?? '') : '';
  const warnings: string[] = [];
  for (const kind of plan.destinations.filter((d) => d !== 'local')) {
    const destination = runtime.destination(kind);
    try {
      await leave(destination, recordOf(input, id));
      if (plan.reserved) await leaveLateRecords({ destination, local, service: plan.service });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warnings.push(`cannot leave the records of ${plan.run} in ${destination.location}: because ${reason}`);
    }
  }
  return warnings;
}

function recordOf(input: ReportRunInput, directoryId: string): RunRecord {
  const { report, plan, trigger, startedAt, finishedAt, directoryIds } = input;
  return {
    run: plan.run,
    service: plan.service,
    directoryId,
    ...(directoryIds && { directoryIds }),
    workflowId: report.workflowId,
    trigger,
    startedAt,
    finishedAt: finishedAt ?? new Date().toISOString(),
    outcome: report.outcome,
    targets: report.targets,
    warnings: report.warnings,
  };
}

async function leave(destination: Destination, record: RunRecord): Promise<void> {
  await writeRunRecord(destination, record);
  await writeChecksums({ destination, run: record.run });
}
