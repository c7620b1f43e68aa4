import { ApplicationFailure, CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunPlan, RunReport } from '../../src/domain/run.js';
import { RUN_PROGRESS_QUERY, type PruneDestinationInput, type RunProgress } from '../../src/domain/steps.js';
import type { GlobalsTarget } from '../../src/domain/target.js';
import { waitFor } from '../support/wait-for.js';
import {
  SETTINGS,
  aPlan,
  aTarget,
  anArtifact,
  ending,
  openStage,
  startRun,
  untilCancelled,
  withWorkers,
  type FakeActivities,
  type Stage,
} from '../support/workflow-workers.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** The report of a run over `plan`, and how the workflow closed. */
async function run(
  plan: RunPlan,
  fakes: FakeActivities = {},
): Promise<{ report: RunReport; type: string | undefined }> {
  const orchestrator = { planRun: () => Promise.resolve(plan), ...fakes.orchestrator };
  return withWorkers(stage, { ...fakes, orchestrator }, async () => ending(await startRun(stage)));
}

const outcomes = (report: RunReport) => Object.fromEntries(report.targets.map((t) => [t.target, t.outcome]));
const refusal = ApplicationFailure.nonRetryable(
  'cannot connect to gondor: because the password is wrong\nHINT: set it',
  'LoginRefused',
);

describe('BackupRun', () => {
  it('completes with its report where every target succeeds', async () => {
    const { report, type } = await run(aPlan(['mordor', 'gondor', 'rohan']));
    expect(type).toBeUndefined();
    expect(report).toMatchObject({ run: '20261124_030000', outcome: 'succeeded' });
    expect(outcomes(report)).toEqual({ mordor: 'succeeded', gondor: 'succeeded', rohan: 'succeeded' });
  });

  it('fails as PartialRun where one target fails, and says why', async () => {
    const { report, type } = await run(aPlan(['mordor', 'gondor']), {
      host: {
        captureTarget: (input) =>
          input.target.name === 'gondor' ? Promise.reject(refusal) : Promise.resolve(anArtifact(input)),
      },
    });
    expect(type).toBe('PartialRun');
    expect(report.outcome).toBe('partial');
    expect(report.targets[1]).toMatchObject({ target: 'gondor', outcome: 'failed', error: refusal.message });
  });

  it('fails as FailedRun where none succeeds, refused entries included', async () => {
    const refused = [{ target: 'shire', kind: 'volume' as const, error: 'unset variable SHIRE' }];
    const { report, type } = await run(aPlan(['gondor'], { refused }), {
      host: { captureTarget: () => Promise.reject(refusal) },
    });
    expect(type).toBe('FailedRun');
    expect(outcomes(report)).toEqual({ gondor: 'failed', shire: 'failed' });
  });

  it('fails a target that one destination did not get, with its artifact, and prunes only where it was brought', async () => {
    const pruned: PruneDestinationInput[] = [];
    const { report } = await run(aPlan(['mordor'], { destinations: ['local', 's3'] }), {
      host: {
        copyArtifact: () =>
          Promise.reject(ApplicationFailure.nonRetryable('cannot copy mordor to s3: because it is away')),
        pruneDestination: (input) => {
          pruned.push(input);
          return Promise.resolve({ removedCount: 0, warnings: [] });
        },
      },
    });
    expect(report.targets[0]).toMatchObject({ outcome: 'failed', artifact: 'mordor_20261124_030000.sql.gz' });
    expect(report.targets[0]?.error).toContain('s3');
    expect(pruned.map((p) => p.destination)).toEqual(['local']);
  });

  it('tells copies when the deadline of the run passes', async () => {
    const plan = aPlan(['mordor'], { destinations: ['local', 's3'] });
    const deadlines: string[] = [];
    const fakes: FakeActivities = {
      orchestrator: { planRun: () => Promise.resolve(plan) },
      host: {
        copyArtifact: ({ deadlineAt }) => {
          deadlines.push(deadlineAt);
          return Promise.resolve({ broughtCount: 1 });
        },
      },
    };
    await withWorkers(stage, fakes, async () => {
      const handle = await startRun(stage);
      await ending(handle);
      const { startTime } = await handle.describe();
      expect(deadlines).toEqual([new Date(startTime.getTime() + SETTINGS.deadlineMs).toISOString()]);
    });
  });

  it('prunes nothing for a target that failed', async () => {
    const pruned: string[] = [];
    await run(aPlan(['mordor', 'gondor']), {
      host: {
        captureTarget: (input) =>
          input.target.name === 'gondor' ? Promise.reject(refusal) : Promise.resolve(anArtifact(input)),
        pruneDestination: ({ targets }) => {
          pruned.push(...targets.map((t) => t.target));
          return Promise.resolve({ removedCount: 0, warnings: [] });
        },
      },
    });
    expect(pruned).toEqual(['mordor']);
  });

  it('turns a failed prune into a warning', async () => {
    const fail = () => Promise.reject(ApplicationFailure.nonRetryable('cannot list s3'));
    const { report } = await run(aPlan(['mordor']), { host: { pruneDestination: fail } });
    expect(report).toMatchObject({ outcome: 'succeeded', warnings: ['cannot list s3'] });
  });

  it('tries a capture `attempts` times', async () => {
    let attempts = 0;
    const { report } = await run(aPlan(['mordor']), {
      host: {
        captureTarget: () => {
          attempts += 1;
          return Promise.reject(ApplicationFailure.retryable(`failed ${attempts}`));
        },
      },
    });
    expect(attempts).toBe(SETTINGS.attempts);
    expect(report.targets[0]?.error).toBe(`cannot dump mordor: because failed ${SETTINGS.attempts}`);
  });

  it('does not count the shutdown of a worker as an attempt', async () => {
    let calls = 0;
    const { report } = await run(aPlan(['mordor'], { settings: { ...SETTINGS, attempts: 1 } }), {
      host: {
        captureTarget: (input) => {
          calls += 1;
          if (calls < 4)
            return Promise.reject(ApplicationFailure.nonRetryable('its worker was told to end', 'WorkerShutdown'));
          return Promise.resolve(anArtifact(input));
        },
      },
    });
    expect(report.outcome).toBe('succeeded');
  });

  it('runs at most max_parallel targets at once', async () => {
    let now = 0;
    let most = 0;
    await run(aPlan(['a', 'b', 'c', 'd', 'e', 'f']), {
      host: {
        captureTarget: async (input) => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setImmediate(resolve));
          now -= 1;
          return anArtifact(input);
        },
      },
    });
    expect(most).toBeLessThanOrEqual(SETTINGS.maxParallel);
  });

  it('fails the targets of a host that nobody polls, by name, and none else', async () => {
    const elsewhere = { ...aPlan(['gondor']).targets[0]!, host: 'minas-tirith' };
    const plan = aPlan(['mordor']);
    const { report } = await run({ ...plan, targets: [...plan.targets, elsewhere] });
    expect(outcomes(report)).toEqual({ mordor: 'succeeded', gondor: 'failed' });
    expect(report.targets[1]?.error).toContain('no worker polls backup-minas-tirith');
  });

  it('waits on for a busy host', async () => {
    let asked = 0;
    const { report } = await run(aPlan(['mordor']), {
      withHost: false,
      orchestrator: {
        isQueuePolled: () => {
          asked += 1;
          return Promise.resolve(asked < 3);
        },
      },
    });
    expect(asked).toBe(3);
    expect(report.outcome).toBe('failed');
  });

  it('ends what is left when its deadline passes, and reports it as failed', async () => {
    const plan = aPlan(['mordor', 'gondor', 'rohan'], { settings: { ...SETTINGS, deadlineMs: 5_000 } });
    const { report, type } = await run(plan, {
      host: {
        captureTarget: (input) =>
          input.target.name === 'mordor' ? Promise.resolve(anArtifact(input)) : untilCancelled(),
      },
    });
    expect(outcomes(report)).toEqual({ mordor: 'succeeded', gondor: 'failed', rohan: 'failed' });
    expect(report.targets[1]?.error).toContain('deadline');
    expect(type).toBe('PartialRun');
  });

  it('cancels its targets when it is cancelled, waits for them, and reports', async () => {
    let ended = 0;
    const reports: RunReport[] = [];
    const fakes: FakeActivities = {
      orchestrator: {
        planRun: () => Promise.resolve(aPlan(['mordor', 'gondor', 'rohan'])),
        reportRun: ({ report }) => {
          reports.push(report);
          return Promise.resolve([]);
        },
      },
      host: {
        captureTarget: () =>
          untilCancelled().finally(() => {
            ended += 1;
          }),
      },
    };
    await withWorkers(stage, fakes, async () => {
      const handle = await startRun(stage);
      const isCapturing = (p: RunProgress) => p.targets.filter((t) => t.phase === 'capturing').length === 2;
      await waitFor('two targets to be captured', async () =>
        isCapturing(await handle.query<RunProgress>(RUN_PROGRESS_QUERY)),
      );
      await handle.cancel();
      const error: unknown = await handle.result().catch((e: unknown) => e);
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      expect((await handle.query<RunProgress>(RUN_PROGRESS_QUERY)).report?.outcome).toBe('cancelled');
    });
    expect(ended).toBe(2);
    expect(outcomes(reports[0]!)).toEqual({ mordor: 'cancelled', gondor: 'cancelled', rohan: 'cancelled' });
  });

  it('skips a target that another run holds, and names that run', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let captures = 0;
    const fakes: FakeActivities = {
      orchestrator: {
        planRun: () => Promise.resolve(aPlan(['mordor'])),
        findChildHolder: () => Promise.resolve({ parentWorkflowId: 'middle-earth/run-first', run: '20261124_020000' }),
      },
      host: {
        captureTarget: async (input) => {
          captures += 1;
          await held;
          return anArtifact(input);
        },
      },
    };
    await withWorkers(stage, fakes, async () => {
      const first = await startRun(stage);
      await waitFor('the first run to capture', () => captures === 1);
      const second = await ending(await startRun(stage));
      expect(second.report).toMatchObject({ outcome: 'partial', targets: [{ outcome: 'skipped' }] });
      expect(second.report.targets[0]?.error).toContain('20261124_020000');
      expect(second.type).toBeUndefined(); // skips alone leave it Completed
      release();
      expect((await ending(first)).report.outcome).toBe('succeeded');
    });
    expect(captures).toBe(1);
  });

  it('is no worse where another run has the globals of its server just now', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const { connection, ...common } = aTarget('globals:db-5432');
    const globals: GlobalsTarget = { ...common, kind: 'globals', logins: [{ name: 'mordor', connection }] };
    const databases = ['mordor', 'shire'];
    const captured: string[] = [];
    const fakes: FakeActivities = {
      orchestrator: {
        planRun: () => Promise.resolve(aPlan([], { targets: [aTarget(databases.shift() ?? ''), globals] })),
        findChildHolder: () => Promise.resolve({ parentWorkflowId: 'middle-earth/run-first', run: '20261124_020000' }),
      },
      host: {
        captureTarget: async (input) => {
          captured.push(input.target.name);
          if (input.target.kind === 'globals') await held;
          return anArtifact(input);
        },
      },
    };
    await withWorkers(stage, fakes, async () => {
      const first = await startRun(stage);
      await waitFor('the first run to have the globals', () => captured.includes(globals.name));
      const second = await ending(await startRun(stage));
      expect(second.type).toBeUndefined();
      expect(second.report.outcome).toBe('succeeded');
      expect(outcomes(second.report)).toEqual({ shire: 'succeeded', [globals.name]: 'skipped' });
      release();
      expect(outcomes((await ending(first)).report)).toEqual({ mordor: 'succeeded', [globals.name]: 'succeeded' });
    });
    expect(captured.sort()).toEqual([globals.name, 'mordor', 'shire']);
  });
});
