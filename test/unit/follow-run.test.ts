import { ServiceError, TerminatedFailure, WorkflowFailedError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { followRun } from '../../src/commands/follow-run.js';
import type { InterruptChoice } from '../../src/commands/interrupt.js';
import { plainDisplay } from '../../src/commands/run-display.js';
import type { RunReport } from '../../src/domain/run.js';

const REPORT: RunReport = { run: '20261124_030000', workflowId: 'w', outcome: 'succeeded', targets: [], warnings: [] };

/** As the client throws it when nobody answers, after it has tried ten times. */
function away(): Error {
  const cause = Object.assign(new Error('14 UNAVAILABLE: No connection established'), {
    ...{ code: 14, details: 'No connection established', metadata: {} },
  });
  return new ServiceError('Failed to describe workflow', { cause });
}

interface Answers {
  /** What each look at the run finds; the last one again and again. */
  looks: (Error | 'RUNNING' | 'COMPLETED')[];
  cancel?: Error;
  result?: Error;
}

/** Follows a run of a server that gives these answers; `interrupt` is called once the following has begun. */
async function follow({ looks, cancel, result }: Answers, ...choices: InterruptChoice[]) {
  const said: string[] = [];
  const handle = {
    workflowId: 'middle-earth/run-manual',
    describe: () => {
      const look = looks.length > 1 ? looks.shift() : looks[0];
      return look instanceof Error ? Promise.reject(look) : Promise.resolve({ status: { name: look }, raw: {} });
    },
    query: () => Promise.reject(new Error('no worker answers')),
    result: () => (result === undefined ? Promise.resolve(REPORT) : Promise.reject(result)),
    cancel: () => (cancel === undefined ? Promise.resolve() : Promise.reject(cancel)),
  };
  const interrupt = {
    watch(onInterrupt: (choose: () => Promise<InterruptChoice>) => void) {
      for (const choice of choices) onInterrupt(() => Promise.resolve(choice));
      return () => undefined;
    },
  };
  const withDeadline = (_deadline: number, ask: () => Promise<unknown>) => ask();
  const client = { workflow: { getHandle: () => handle }, withDeadline } as unknown as Client;
  const say = (text: string) => void said.push(text);
  const display = plainDisplay({ line: say, say });
  const ending = await followRun({ client, workflowId: 'w', display, interrupt });
  return { ending, said };
}

describe('whoever follows a run', () => {
  it('waits for a Temporal server that is away, and says so once', async () => {
    const { ending, said } = await follow({ looks: ['RUNNING', away(), away(), 'RUNNING', 'COMPLETED'] });
    expect(ending).toEqual(REPORT);
    expect(said).toEqual([
      'waiting for a worker on backup',
      'the Temporal server does not answer; waiting for it (the run itself may go on)',
      'the Temporal server answers again',
      'run 20261124_030000: 0 targets',
    ]);
  });

  it('detaches from one that is away', async () => {
    expect((await follow({ looks: [away()] }, 'detach')).ending).toBe('detached');
  });

  it('is not told that all is well after a cancellation whose end it does not wait for', async () => {
    await expect(follow({ looks: ['RUNNING'] }, 'cancel', 'detach')).rejects.toMatchObject({
      code: 'Cancelled',
      message: 'cannot wait for the end of the run: because this command was interrupted again',
    });
  });

  it('detaches from one that could not be cancelled', async () => {
    expect((await follow({ looks: [away()], cancel: away() }, 'cancel', 'detach')).ending).toBe('detached');
  });

  it('is told that it was terminated, and by what words', async () => {
    const cause = new TerminatedFailure('from the Web UI');
    const result = new WorkflowFailedError('Workflow execution terminated', cause, 'NON_RETRYABLE_FAILURE');
    await expect(follow({ looks: ['COMPLETED'], result })).rejects.toMatchObject({
      code: 'Failed',
      message: 'cannot tell what came of it: because its workflow was terminated: from the Web UI',
    });
  });

  it('is told that it cannot be cancelled now', async () => {
    const { said } = await follow({ looks: [away(), 'COMPLETED'], cancel: away() }, 'cancel');
    expect(said).toContainEqual(expect.stringMatching(/^cannot cancel the run: because .*\nHINT: /) as string);
  });

  it('does not wait for what waiting does not bring', async () => {
    await expect(follow({ looks: [new ServiceError('no such namespace')] })).rejects.toThrow('no such namespace');
  });
});
