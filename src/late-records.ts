import { writeChecksums } from './checksums.js';
import type { Destination, StoredObject } from './destinations/destination.js';
import { CHECKSUMS_NAME, inRun, isManifestName, manifestName, RUN_PATTERN, RUN_RECORD_NAME } from './domain/names.js';
import { readRunRecord, writeRunRecord } from './run-records.js';

export interface LateRecordsInput {
  destination: Destination;
  /** Where every run leaves its record. */
  local: Destination;
  /** Whose runs: those of others are none of our business. */
  service: string;
}

/** Brings what a run leaves beside its artifacts, where these came only with a later run: its record, and checksums of all. */
export async function leaveLateRecords({ destination, local, service }: LateRecordsInput): Promise<void> {
  for (const { run, hasRecord, hasChecksums } of foundRuns(await destination.list())) {
    if (hasRecord && hasChecksums) continue;
    const record = await readRunRecord(local, run);
    if (record?.service !== service || record.finishedAt === undefined) continue;
    if (!hasChecksums) await writeChecksums({ destination, run });
    if (!hasRecord) await writeRunRecord(destination, record);
  }
}

interface FoundRun {
  run: string;
  hasRecord: boolean;
  /** Whether they have the size that they have with a line for each manifest. */
  hasChecksums: boolean;
}

/** Those with artifacts. */
function foundRuns(objects: readonly StoredObject[]): FoundRun[] {
  const sizes = new Map(objects.map(({ path, sizeBytes }) => [path, sizeBytes]));
  const expected = new Map<string, number>();
  for (const { path } of objects) {
    const [run = '', name = '', ...deeper] = path.split('/');
    if (!RUN_PATTERN.test(run) || !isManifestName(name) || deeper.length > 0) continue;
    expected.set(run, (expected.get(run) ?? 0) + lineBytes(name));
  }
  return [...expected].map(([run, sizeBytes]) => ({
    run,
    hasRecord: sizes.has(inRun(run, RUN_RECORD_NAME)),
    hasChecksums: sizes.get(inRun(run, CHECKSUMS_NAME)) === sizeBytes,
  }));
}

/** `<SHA-256>  <artifact>\n` */
function lineBytes(manifest: string): number {
  return 64 + 2 + manifest.length - manifestName('').length + 1;
}
