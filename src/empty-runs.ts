import type { Destination } from './destinations/destination.js';
import {
  CHECKSUMS_NAME,
  inRun,
  isManifestName,
  LOG_DIRECTORY,
  logName,
  RUN_PATTERN,
  RUN_RECORD_NAME,
} from './domain/names.js';
import type { TargetResult } from './domain/outcome.js';
import type { RunRecord } from './domain/run.js';
import { DEFAULT_HOST } from './domain/target.js';
import { finishRemovals } from './finish-removals.js';
import { readRunRecord } from './run-records.js';

/** A run that has no end in its record is taken for one that goes on until it is this old: longer than any deadline. */
const UNFINISHED_FOR_MS = 7 * 24 * 60 * 60 * 1000;

export interface ForgetInput {
  destination: Destination;
  /** Whose runs: another service's records are none of our business. */
  service: string;
  /** How many records stay of runs that left no artifact. */
  keepRecords: number;
  /** The host whose directory this is; absent: a destination of all. Artifacts elsewhere are none of a run's here. */
  host?: string;
  /** Its record stays, whatever it brought. */
  currentRun?: string;
  /** Default: the present. */
  now?: Date;
}

/**
 * Finishes removals, then forgets runs without artifact: `run.json`, `SHA256SUMS` and log go of those whose
 * last artifact was pruned, and of those that never left one all but the newest `keepRecords`. Whatever else lies in a
 * run's directory stays, and the directory with it; so do runs that may still go on.
 */
export async function forgetEmptyRuns(input: ForgetInput): Promise<void> {
  const { destination, keepRecords, host } = input;
  await finishRemovals(destination);
  const records = (await readRecords(destination, await runsWithoutArtifact(destination))).filter((record) =>
    mayForget(record, input),
  );
  const pruned = records.filter((record) => leftArtifact(record, host));
  const fruitless = records.filter((record) => !leftArtifact(record, host)).sort(newestFirst);
  for (const { run } of [...pruned, ...fruitless.slice(keepRecords)]) await forgetRun(destination, run);
}

async function runsWithoutArtifact(destination: Destination): Promise<string[]> {
  const runs = new Map<string, boolean>();
  for (const { path } of await destination.list()) {
    const [run = '', name = ''] = path.split('/');
    if (RUN_PATTERN.test(run)) runs.set(run, runs.get(run) === true || isManifestName(name));
  }
  return [...runs].filter(([, hasArtifact]) => !hasArtifact).map(([run]) => run);
}

async function readRecords(destination: Destination, runs: readonly string[]): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for (const run of runs) {
    const record = await readRunRecord(destination, run);
    if (record?.run === run) records.push(record);
  }
  return records;
}

function mayForget(record: RunRecord, { service, currentRun, now = new Date() }: ForgetInput): boolean {
  const isOver = record.finishedAt !== undefined || now.getTime() - Date.parse(record.startedAt) > UNFINISHED_FOR_MS;
  return record.service === service && record.run !== currentRun && isOver;
}

function leftArtifact({ targets }: RunRecord, host: string | undefined): boolean {
  const isHere = (target: TargetResult) => host === undefined || (target.host ?? DEFAULT_HOST) === host;
  return targets.some((target) => target.artifact !== undefined && isHere(target));
}

function newestFirst(one: RunRecord, other: RunRecord): number {
  return Date.parse(other.startedAt) - Date.parse(one.startedAt);
}

/** The record last: as long as it is there, the next one finishes what this one began. */
async function forgetRun(destination: Destination, run: string): Promise<void> {
  await destination.remove(`${LOG_DIRECTORY}/${logName(run)}`);
  await destination.remove(inRun(run, CHECKSUMS_NAME));
  await destination.remove(inRun(run, RUN_RECORD_NAME));
}
