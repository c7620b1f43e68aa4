import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import type { AttemptRecord } from './attempt-record.js';
import { openRecords, type AttemptRecords, type OpenRecordsInput } from './attempt-records.js';

type Info = Context['info'];

/**
 * Keeps a record of each attempt that this process has at hand, for its successor. It is a convenience, without which heartbeats run out:
 * nothing waits for it, and nothing fails by it.
 */
export class OwnAttempts {
  readonly #input: OpenRecordsInput;
  #opening: Promise<AttemptRecords | undefined> | undefined;

  constructor(input: OpenRecordsInput) {
    this.#input = input;
  }

  /** For the interceptors of a Worker. */
  readonly recording = ({ info }: { info: Info }): ActivityInterceptors => ({
    inbound: {
      execute: async (input, next) => {
        if (info.isLocal) return next(input);
        const writing = this.#write(info);
        try {
          return await next(input);
        } finally {
          void writing.then((forget) => forget?.());
        }
      },
    },
  });

  /** Leaves nothing, or what was not ended in time, for the successor. */
  async close(): Promise<void> {
    const records = await this.#opening;
    await records?.close();
  }

  async #write(info: Info): Promise<(() => Promise<void>) | undefined> {
    const record = recordOf(info);
    const opening = (this.#opening ??= openRecords(this.#input));
    const records = await opening;
    const forget = await records?.write(record);
    // What is not there yet, or no more, may be by the next time.
    const isUsable = records !== undefined && (forget !== undefined || (await records.isThere()));
    if (!isUsable && this.#opening === opening) this.#opening = undefined;
    return forget;
  }
}

function recordOf(info: Info): Omit<AttemptRecord, 'owner'> {
  const { namespace, workflowExecution, activityType: activity, attempt, base64TaskToken: taskToken } = info;
  const workflowId = workflowExecution?.workflowId ?? '';
  const startedAt = new Date().toISOString();
  return { format: 'attempt/1', namespace, workflowId, activity, attempt, taskToken, startedAt };
}
