import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { RunRecord } from '../domain/run.js';
import type { Destination } from '../destinations/destination.js';
import { GrowingFile } from '../growing-file.js';
import type { RunLogFile } from '../run-log-files.js';
import { readRunRecord } from '../run-records.js';
import { connectClient } from '../temporal/connection.js';

const LOOK_MS = 250;
const ASK_TEMPORAL_MS = 5_000;
/** How long after a run's record the last lines of its log may come, where no server tells that it is over. */
const LAST_LINES_MS = 10_000;

export interface FollowLogInput {
  log: RunLogFile;
  local: Destination;
  write: (text: Buffer) => Promise<void>;
  signal: AbortSignal;
}

/** Writes the log of a run until the run is over: `ended` or, without a report, `lost`. */
export async function followLog({
  log,
  local,
  write,
  signal,
}: FollowLogInput): Promise<'ended' | 'lost' | 'interrupted'> {
  const file = new GrowingFile(log.path);
  const server = watchServer(() => readRunRecord(local, log.run), signal);
  let tail = '';
  let endedAtMs: number | undefined;
  while (!signal.aborted) {
    // Asked before the log is read: what was written until then is printed.
    const isGone = server.isGone;
    const record = await readRunRecord(local, log.run);
    await file.readLines(async (lines) => {
      tail = lines.subarray(-200).toString();
      await write(lines);
    });
    if (record === undefined || record.outcome !== 'running') {
      endedAtMs ??= Date.now();
      const isComplete = record === undefined || tail.endsWith(` run ${log.run}: ${record.outcome}\n`);
      if (isComplete || isGone || Date.now() - endedAtMs > LAST_LINES_MS) return last('ended');
    } else if (isGone) return last('lost');
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return 'interrupted';

  async function last<T>(ending: T): Promise<T> {
    if (file.rest.length > 0) await write(Buffer.concat([file.rest, Buffer.from('\n')]));
    return ending;
  }
}

/** Asks now and then, beside everything else, whether the run is still known to be running; a server that does not answer says nothing. */
function watchServer(readRecord: () => Promise<RunRecord | undefined>, signal: AbortSignal): { isGone: boolean } {
  const watch = { isGone: false };
  const look = async () => {
    while (!signal.aborted && !watch.isGone) {
      watch.isGone = await isGone(await readRecord().catch(() => undefined));
      await delay(ASK_TEMPORAL_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  void look();
  return watch;
}

async function isGone(record: RunRecord | undefined): Promise<boolean> {
  if (record === undefined) return false;
  try {
    const { client, close } = await connectClient();
    try {
      return (await client.workflow.getHandle(record.workflowId).describe()).status.name !== 'RUNNING';
    } catch (error) {
      return error instanceof WorkflowNotFoundError;
    } finally {
      await close();
    }
  } catch {
    return false;
  }
}
