import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { WORKER_DIED } from '../domain/task-queues.js';
import type { AttemptRecord } from './attempt-record.js';
import { findDeadWorkers, removeWorker } from './left-attempts.js';
import type { Log } from './log.js';

/** One readdir each, where nobody died. */
const LOOK_MS = 10_000;
const ANSWER_MS = 10_000;
/** Then heartbeats have run out. */
const MAX_LOOKS = 30;
/** What kills its worker again and again is not tried again at once, unless it lived for so long. */
const ATTEMPTS_AT_ONCE = 2;
const LONG_LIVED_MS = 60_000;

export interface PredecessorsInput {
  /** The backup directory. */
  root: string;
  client: Client;
  log: Log;
}

export interface PredecessorsWatch {
  /** Resolves when the look that goes on has ended. */
  stop(): Promise<void>;
}

/** Looks at once, and then again and again, for workers of this directory that died, and lets what they had at hand begin anew. */
export function watchPredecessors(input: PredecessorsInput): PredecessorsWatch {
  const looks = new Map<string, number>();
  let look: Promise<void> | undefined;
  const begin = () => {
    look ??= endLeftAttempts(input, looks).finally(() => (look = undefined));
  };
  begin();
  const timer = setInterval(begin, LOOK_MS);
  return {
    async stop() {
      clearInterval(timer);
      await look;
    },
  };
}

/** Never rejects. `looks` counts those at workers whose attempts could not be ended. */
export async function endLeftAttempts(input: PredecessorsInput, looks = new Map<string, number>()): Promise<void> {
  const { root, log } = input;
  try {
    for (const { directory, attempts } of await findDeadWorkers(root)) {
      const count = (looks.get(directory) ?? 0) + 1;
      const ended = await Promise.all(attempts.map((attempt) => endAttempt(input, attempt)));
      looks.set(directory, count);
      if (ended.every((isEnded) => isEnded) || count >= MAX_LOOKS) await removeWorker(directory);
    }
  } catch (error) {
    log.debug({ error: String(error) }, 'cannot look for what workers that died had at hand');
  }
}

/** By the token of the attempt: one that took its place meanwhile is another one. False where it is to be tried again. */
async function endAttempt({ client, log }: PredecessorsInput, record: AttemptRecord): Promise<boolean> {
  const { namespace, workflowId, activity, attempt, taskToken } = record;
  if (namespace !== client.options.namespace) return false;
  const failure = workerDied(record, Date.now());
  try {
    await client.withDeadline(Date.now() + ANSWER_MS, () =>
      client.activity.fail(Buffer.from(taskToken, 'base64'), failure),
    );
    log.info({ workflowId, activity, attempt }, 'the worker of this attempt died: the next one begins');
    return true;
  } catch (error) {
    if (error instanceof ActivityNotFoundError) return true; // it ended, or timed out
    log.warn({ workflowId, activity, attempt, error: String(error) }, 'cannot end the attempt of a worker that died');
    return false;
  }
}

function workerDied({ attempt, startedAt }: AttemptRecord, nowMs: number): ApplicationFailure {
  const isAtOnce = attempt <= ATTEMPTS_AT_ONCE || nowMs - Date.parse(startedAt) > LONG_LIVED_MS;
  return ApplicationFailure.create({
    message: 'its worker died',
    type: WORKER_DIED,
    ...(isAtOnce && { nextRetryDelay: 1 }),
  });
}
