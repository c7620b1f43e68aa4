import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORCHESTRATOR_QUEUE } from '../../src/domain/task-queues.js';
import type { VerificationOutcome } from '../../src/domain/verification.js';
import type { PlannedVerification, VerifyReport, VerifyTargetInput } from '../../src/domain/verify-run.js';
import type { VerifyPolicy } from '../../src/domain/target.js';
import type { VerifyRun } from '../../src/workflows/verify-run.js';
import {
  SETTINGS,
  aPlan,
  aTarget,
  ending,
  openStage,
  startRun,
  withWorkers,
  type FakeActivities,
  type Stage,
} from '../support/workflow-workers.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const planned = (target: string, changes: Partial<PlannedVerification> = {}): PlannedVerification => ({
  ...{ target, kind: 'database', host: 'default', method: 'drill', from: 'local', timeoutMs: 60_000 },
  ...changes,
});

const verdict = ({ target, kind, method }: VerifyTargetInput, outcome: VerificationOutcome, reason?: string) =>
  Promise.resolve({ target, kind, method, outcome, notes: [], durationMs: 1, ...(reason !== undefined && { reason }) });

/** The report of a verification, and how its workflow closed. */
async function verified(targets: PlannedVerification[], fakes: FakeActivities = {}) {
  const plan = { service: 'middle-earth', settings: SETTINGS, targets, searchAttributes: false };
  const orchestrator = { planVerification: () => Promise.resolve(plan), ...fakes.orchestrator };
  return withWorkers(stage, { ...fakes, orchestrator }, async () => {
    const handle = await stage.client.workflow.start<typeof VerifyRun>('VerifyRun', {
      workflowId: `middle-earth/verify-run-${String(Math.random())}`,
      taskQueue: ORCHESTRATOR_QUEUE,
      args: [{ cron: '0 6 * * *' }],
    });
    try {
      return { report: await handle.result(), failure: undefined };
    } catch (error) {
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      if (!(cause instanceof ApplicationFailure)) throw error;
      return { report: cause.details?.[0] as VerifyReport, failure: cause };
    }
  });
}

describe('VerifyRun', () => {
  it('completes with its report where every target is verified', async () => {
    const { report, failure } = await verified([planned('mordor'), planned('gondor')]);
    expect(failure).toBeUndefined();
    expect(report).toMatchObject({ outcome: 'verified', targets: [{ target: 'mordor' }, { target: 'gondor' }] });
  });

  it('fails where one target failed, says why first, and verifies the others', async () => {
    const { report, failure } = await verified([planned('mordor'), planned('gondor'), planned('rohan')], {
      host: {
        verifyTarget: (input) => {
          if (input.target === 'mordor') return verdict(input, 'failed', 'table rings has 8 rows instead of 9');
          return verdict(input, input.target === 'gondor' ? 'unverified' : 'verified', 'no server of PostgreSQL 19');
        },
      },
    });
    expect(failure?.type).toBe('VerificationFailed');
    expect(failure?.message.split('\n')).toEqual([
      '2 of 3 targets are not verified',
      'mordor failed its drill: table rings has 8 rows instead of 9',
      'gondor is unverified: no server of PostgreSQL 19',
    ]);
    expect(report.targets.map(({ outcome }) => outcome)).toEqual(['failed', 'unverified', 'verified']);
  });

  it('never passes what could not be verified', async () => {
    const { report, failure } = await verified([planned('mordor'), planned('gondor', { host: 'minas-tirith' })], {
      host: {
        verifyTarget: () =>
          Promise.reject(ApplicationFailure.nonRetryable('cannot drill mordor: because the disk is full')),
      },
    });
    expect(failure?.type).toBe('Unverified');
    expect(report.targets.map(({ target, outcome, reason }) => [target, outcome, reason]).sort()).toEqual([
      ['gondor', 'unverified', expect.stringContaining('no worker polls backup-minas-tirith')],
      ['mordor', 'unverified', 'cannot drill mordor: because the disk is full'],
    ]);
  });

  it('verifies one target after the other on each host', async () => {
    let now = 0;
    let most = 0;
    await verified(
      ['a', 'b', 'c'].map((name) => planned(name)),
      {
        host: {
          verifyTarget: async (input) => {
            most = Math.max(most, ++now);
            await new Promise((resolve) => setImmediate(resolve));
            now -= 1;
            return verdict(input, 'verified');
          },
        },
      },
    );
    expect(most).toBe(1);
  });
});

describe('BackupRun', () => {
  /** The result of a run over one target that is verified so, and what was asked to be verified. */
  async function backedUp(
    verify: VerifyPolicy,
    outcome: VerificationOutcome,
    { reason, host }: { reason?: string; host?: FakeActivities['host'] } = {},
  ) {
    const asked: VerifyTargetInput[] = [];
    const plan = aPlan([], { targets: [{ ...aTarget('mordor'), verify }], destinations: ['local', 's3'] });
    const fakes: FakeActivities = {
      orchestrator: { planRun: () => Promise.resolve(plan) },
      host: {
        ...host,
        verifyTarget: (input) => {
          asked.push(input);
          return verdict(input, outcome, reason);
        },
      },
    };
    const { report } = await withWorkers(stage, fakes, async () => ending(await startRun(stage)));
    return { result: report.targets[0], asked };
  }

  it('verifies the copy of this run that is asked for', async () => {
    const { result, asked } = await backedUp({ method: 'read', from: 's3' }, 'verified');
    expect(asked).toMatchObject([{ target: 'mordor', run: '20261124_030000', method: 'read', from: 's3' }]);
    expect(result).toMatchObject({ outcome: 'succeeded', verification: { method: 'read', outcome: 'verified' } });
  });

  it('fails a target whose artifact fails', async () => {
    const { result } = await backedUp({ method: 'drill', from: 'local' }, 'failed', { reason: 'an index is missing' });
    expect(result).toMatchObject({ outcome: 'failed', error: 'mordor failed its drill: an index is missing' });
    expect(result?.artifact).toBe('mordor_20261124_030000.sql.gz');
  });

  it('warns of one that could not be verified', async () => {
    const { result } = await backedUp({ method: 'drill', from: 'local' }, 'unverified', {
      reason: 'no server of PostgreSQL 19',
    });
    expect(result).toMatchObject({
      outcome: 'succeeded',
      warnings: ['mordor is unverified: no server of PostgreSQL 19'],
    });
  });

  it('leaves to its schedule what has one', async () => {
    const { result, asked } = await backedUp({ cron: '0 6 * * *', method: 'drill', from: 'local' }, 'failed');
    expect(asked).toEqual([]);
    expect(result).not.toHaveProperty('verification');
  });

  it('asks for no copy that a destination did not get', async () => {
    const away = () => Promise.reject(ApplicationFailure.nonRetryable('cannot copy mordor to s3: because it is away'));
    const { result, asked } = await backedUp({ method: 'read', from: 's3' }, 'failed', {
      host: { copyArtifact: away },
    });
    expect(asked).toEqual([]);
    expect(result?.error).toBe('cannot copy mordor to s3: because it is away');
  });
});
