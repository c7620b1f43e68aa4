import { setTimeout as delay } from 'node:timers/promises';
import {
  ApplicationFailure,
  ServiceError,
  TerminatedFailure,
  isGrpcServiceError,
  isRetryableError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { BackupError, type ErrorCode } from '../domain/errors.js';
import type { Interrupt, InterruptChoice } from './interrupt.js';

const POLL_MS = 300;

export interface FollowWorkflowInput<T> {
  handle: WorkflowHandle;
  /** What messages call it: `run`. */
  noun: string;
  interrupt: Pick<Interrupt, 'watch'>;
  /** Where messages go; nothing is written between `pause` and `resume`. */
  display: { say: (text: string) => void; pause: () => void; resume: () => void };
  /** Shows where it stands. */
  show: (description: WorkflowExecutionDescription) => Promise<void>;
  /** What it came to, once it has ended. */
  ending: () => Promise<T>;
}

/**
 * Follows a workflow to its end; a server that is away meanwhile is waited for, since the workflow goes on without it too. Ctrl-C cancels it, or
 * leaves it to itself. Throws Cancelled where it was cancelled and its end is not waited for.
 */
export async function followWorkflow<T>(input: FollowWorkflowInput<T>): Promise<T | 'detached'> {
  const { display, interrupt, noun, show, ending } = input;
  let isDetached = false;
  let isAway = false;
  let cancelling: Promise<boolean> | undefined;
  const obey = async (choose: () => Promise<InterruptChoice>) => {
    display.pause();
    const chosen = await choose();
    display.resume();
    if (chosen === 'detach') isDetached = true;
    if (chosen === 'cancel') cancelling = cancel(input);
  };
  const stopWatching = interrupt.watch((choose) => void obey(choose));
  try {
    // One call after the other: none is under way when the connection is closed, which the client would not survive.
    while (!isDetached) {
      const found = await lookForEnd(input.handle, ending);
      if ((found === 'unknown') !== isAway) display.say(isAway ? 'the Temporal server answers again' : awayText(noun));
      isAway = found === 'unknown';
      if (found !== 'unknown') {
        if ('ended' in found) return found.ended;
        await show(found.description);
      }
      await delay(POLL_MS);
    }
    if ((await cancelling) === true) throw stillCancelling(noun);
    return 'detached';
  } finally {
    stopWatching();
  }
}

function stillCancelling(noun: string): BackupError {
  return new BackupError(
    'Cancelled',
    `cannot wait for the end of the ${noun}: because this command was interrupted again`,
    {
      hint: `the ${noun} is being cancelled, and may have ended well before it heard of that: the Temporal Web UI shows it`,
    },
  );
}

function awayText(noun: string): string {
  return `the Temporal server does not answer; waiting for it (the ${noun} itself may go on)`;
}

type Found<T> = { description: WorkflowExecutionDescription } | { ended: T };

async function lookForEnd<T>(handle: WorkflowHandle, ending: () => Promise<T>): Promise<Found<T> | 'unknown'> {
  try {
    const description = await handle.describe();
    return description.status.name === 'RUNNING' ? { description } : { ended: await ending() };
  } catch (error) {
    if (error instanceof ServiceError && isServerAway(error.cause)) return 'unknown';
    throw error;
  }
}

function isServerAway(cause: unknown): boolean {
  return isGrpcServiceError(cause) && (isRetryableError(cause) || Number(cause.code) === DEADLINE_EXCEEDED);
}

const DEADLINE_EXCEEDED = 4; // of gRPC

/** Whether it was told. */
async function cancel<T>({ handle, display, noun }: FollowWorkflowInput<T>): Promise<boolean> {
  try {
    await handle.cancel();
    display.say(`cancelling the ${noun}`);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    display.say(`cannot cancel the ${noun}: because ${reason}\nHINT: try again when the Temporal server answers`);
    return false;
  }
}

/** What a workflow failed with, out of the wrappers that Temporal puts around it. */
export function asBackupError(error: Error): BackupError {
  const root = rootCause(error);
  if (root instanceof TerminatedFailure) {
    const message = `cannot tell what came of it: because its workflow was terminated: ${root.message}`;
    return new BackupError('Failed', message, {
      hint: 'cancel rather than terminate; the log of the worker has what it did',
    });
  }
  const [message = '', hintLine] = root.message.split('\nHINT: ');
  const code = root instanceof ApplicationFailure ? ((root.type ?? 'Failed') as ErrorCode) : 'Failed';
  return new BackupError(code, message, hintLine === undefined ? {} : { hint: hintLine });
}

function rootCause(error: Error): Error {
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}
