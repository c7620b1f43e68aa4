import { writeChecksums } from '../checksums.js';
import { readIdentity } from '../directory-identity.js';
import type { RunRecord } from '../domain/run.js';
import type { ReportRunInput } from '../domain/steps.js';
import type { Destination } from '../destinations/destination.js';
import { leaveLateRecords } from '../late-records.js';
import { writeRunRecord } from '../run-records.js';
import type { Runtime } from '../runtime.js';

/** Leaves the record of a run and its checksums in each destination. Returns warnings: the artifacts are there without them. */
export async function reportRun(runtime: Runtime, input: ReportRunInput): Promise<string[]> {
  const { report, plan } = input;
  if (!plan.reserved) return [];
  const identity = await readIdentity(runtime.local.root);
  const record: RunRecord = {
    run: plan.run,
    service: plan.service,
    directoryId: identity?.id ?? '',
    workflowId: report.workflowId,
    trigger: input.trigger,
    startedAt: input.startedAt,
    finishedAt: new Date().toISOString(),
    outcome: report.outcome,
    targets: report.targets,
    warnings: report.warnings,
  };
  await leave(runtime.local, record);
  const warnings: string[] = [];
  for (const kind of plan.destinations.filter((d) => d !== 'local')) {
    const destination = runtime.destination(kind);
    try {
      await leave(destination, record);
      await leaveLateRecords({ destination, local: runtime.local, service: plan.service });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warnings.push(`cannot leave the records of ${plan.run} in ${destination.location}: because ${reason}`);
    }
  }
  return warnings;
}

async function leave(destination: Destination, record: RunRecord): Promise<void> {
  await writeRunRecord(destination, record);
  await writeChecksums({ destination, run: record.run });
}
