import { randomBytes } from 'node:crypto';
import { ApplicationFailure, CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreStepInput, RestoreTargetInput } from '../../src/domain/restore-target.js';
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes.js';
import { ORCHESTRATOR_QUEUE, restoreTargetWorkflowId } from '../../src/domain/task-queues.js';
import type { RestoreTarget } from '../../src/workflows/restore-target.js';
import { waitFor } from '../support/wait-for.js';
import {
  SETTINGS,
  aRestorePlan,
  aRestored,
  openStage,
  untilCancelled,
  withWorkers,
  type FakeActivities,
  type Stage,
} from '../support/workflow-workers.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ searchAttributes: SEARCH_ATTRIBUTES });
});
afterAll(() => stage.close());

const INPUT: RestoreTargetInput = {
  service: 'middle-earth',
  host: 'default',
  restoreToken: '01234567',
  request: { target: 'mordor', into: 'mordor_new', noOwner: false },
  planOnly: false,
  settings: SETTINGS,
  timeoutMs: 60_000,
};

function start(changes: Partial<RestoreTargetInput> = {}) {
  const target = `mordor-${randomBytes(4).toString('hex')}`;
  return stage.client.workflow.start<typeof RestoreTarget>('RestoreTarget', {
    workflowId: restoreTargetWorkflowId({ service: 'middle-earth', target }),
    taskQueue: ORCHESTRATOR_QUEUE,
    args: [{ ...INPUT, ...changes }],
  });
}

type Handle = Awaited<ReturnType<typeof start>>;

/** Why a restore failed. */
async function failureOf(handle: Handle): Promise<Error | undefined> {
  const error: unknown = await handle.result().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WorkflowFailedError)) throw new Error('it did not fail');
  return error.cause;
}

/** What activities were asked, in their order, and how a restore under these fakes was started and judged. */
async function restoring<T>(host: FakeActivities['host'], judge: (asked: [string, RestoreStepInput][]) => Promise<T>) {
  const asked: [string, RestoreStepInput][] = [];
  const planRestore = host?.planRestore ?? ((input) => Promise.resolve(aRestorePlan(input)));
  const restoreTarget = host?.restoreTarget ?? ((input) => Promise.resolve(aRestored(input)));
  const fakes: FakeActivities = {
    host: {
      planRestore: (input) => (asked.push(['plan', input]), planRestore(input)),
      restoreTarget: (input) => (asked.push(['restore', input]), restoreTarget(input)),
    },
  };
  return withWorkers(stage, fakes, () => judge(asked));
}

async function detailsOf(handle: Handle): Promise<string> {
  return handle
    .query<string>('__temporal_workflow_metadata')
    .then((m) => (m as unknown as { currentDetails: string }).currentDetails);
}

describe('RestoreTarget', () => {
  it('restores the run that was planned, and every attempt has the same token and moment', async () => {
    let tries = 0;
    const restoreTarget = (input: RestoreStepInput) =>
      ++tries < 3 ? Promise.reject(new Error('the connection broke')) : Promise.resolve(aRestored(input));
    await restoring({ restoreTarget }, async (asked) => {
      const report = await (await start()).result();
      expect(report).toMatchObject({ plan: { run: '20261124_030000' }, restored: { into: 'mordor_new' } });
      expect(asked.map(([what]) => what)).toEqual(['plan', 'restore', 'restore', 'restore']);
      const [[, plan], ...attempts] = asked as [[string, RestoreStepInput], ...[string, RestoreStepInput][]];
      expect(plan.request).not.toHaveProperty('run');
      for (const [, attempt] of attempts) {
        expect(attempt).toMatchObject({ restoreToken: '01234567', startedAt: plan.startedAt });
        expect(attempt.request).toEqual({ ...INPUT.request, run: '20261124_030000' });
      }
    });
  });

  it('ends with the plan where that is all that is asked for', async () => {
    await restoring({}, async (asked) => {
      const report = await (await start({ planOnly: true })).result();
      expect(report).not.toHaveProperty('restored');
      expect(asked.map(([what]) => what)).toEqual(['plan']);
    });
  });

  it('fails with the type of a refusal, which is not tried again, and says so in its first line', async () => {
    const refusal = ApplicationFailure.nonRetryable('cannot restore into mordor_new: because it exists', 'Conflict');
    await restoring({ planRestore: () => Promise.reject(refusal) }, async (asked) => {
      const handle = await start();
      expect(await failureOf(handle)).toMatchObject({ type: 'Conflict', message: refusal.message });
      expect(asked).toHaveLength(1);
      expect(await detailsOf(handle)).toContain('because it exists');
    });
  });

  it('shows what it does and what came of it', async () => {
    const planRestore = (input: RestoreStepInput) =>
      Promise.resolve({
        ...aRestorePlan(input),
        expectedMs: 250_000,
        server: 'postgres:5432',
        replaces: { what: 'the database mordor', keptAs: 'mordor_before_x' },
        warnings: ['this is not the newest'],
      });
    const restoreTarget = (input: RestoreStepInput) =>
      Promise.resolve({ ...aRestored(input), keptAs: 'mordor_before_y', warnings: ['left out 2 statements'] });
    await restoring({ planRestore, restoreTarget }, async () => {
      const handle = await start();
      await handle.result();
      const details = await detailsOf(handle);
      expect(details).toMatch(/^\*\*mordor\*\* on default: succeeded\n/);
      expect(details).toMatch(/\| from.*\/backups\/20261124\\_030000\/mordor \(local\), 2.0 KiB/);
      expect(details).toMatch(/\| into.*the database mordor\\_new on postgres:5432/);
      expect(details).toMatch(/\| replaces.*the database mordor, which stays as mordor\\_before\\_y/);
      expect(details).toMatch(/\| expected.*4 min 10 s/);
      expect(details).toContain('- left out 2 statements');
      const { typedSearchAttributes } = await handle.describe();
      expect(
        Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])),
      ).toMatchObject({
        BackupTargets: ['mordor'],
        BackupRunId: '20261124_030000',
        BackupOutcome: 'succeeded',
      });
    });
  });

  it('waits for a cancelled attempt to put everything back', async () => {
    let isPutBack = false;
    const restoreTarget = () => untilCancelled().finally(() => (isPutBack = true));
    await restoring({ restoreTarget }, async (asked) => {
      const handle = await start();
      await waitFor('the restore to begin', () => asked.some(([what]) => what === 'restore'));
      await handle.cancel();
      expect(await failureOf(handle)).toBeInstanceOf(CancelledFailure);
      expect(isPutBack).toBe(true);
      expect(await detailsOf(handle)).toMatch(/: cancelled\n/);
    });
  });

  it('begins anew where its worker was told to end, which is no attempt', async () => {
    let tries = 0;
    const restoreTarget = (input: RestoreStepInput) =>
      ++tries > SETTINGS.attempts + 1
        ? Promise.resolve(aRestored(input))
        : Promise.reject(ApplicationFailure.nonRetryable('its worker was told to end', 'WorkerShutdown'));
    await restoring({ restoreTarget }, async () => {
      expect((await (await start()).result()).restored).toBeDefined();
    });
  });

  it('fails by name where nobody works for its host', async () => {
    await withWorkers(stage, { withHost: false }, async () => {
      const failure = await failureOf(await start({ host: 'north' }));
      expect(failure).toMatchObject({
        type: 'Unpolled',
        message: expect.stringMatching(/^cannot restore mordor: because no worker polls backup-north\n/) as string,
      });
    });
  });
});
