import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostActivities } from '../../src/activities/host.js';
import type { RunPlan } from '../../src/domain/run.js';
import { RUN_PROGRESS_QUERY, type RunProgress } from '../../src/domain/steps.js';
import type { Target } from '../../src/domain/target.js';
import { waitFor } from '../support/wait-for.js';
import {
  SETTINGS,
  aPlan,
  aTarget,
  anArtifact,
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

const on = (host: string, ...names: string[]) => names.map((name) => ({ ...aTarget(name), host }));
const oneAtATime = (unpolledTimeoutMs: number) => ({ ...SETTINGS, maxParallel: 1, unpolledTimeoutMs });

function planned(plan: RunPlan, fakes: FakeActivities = {}): FakeActivities {
  return { ...fakes, orchestrator: { planRun: () => Promise.resolve(plan), ...fakes.orchestrator } };
}

describe('a host', () => {
  it('keeps no other waiting, however few targets may be at work at once', async () => {
    const targets = [...on('north', 'shire', 'bree'), ...on('default', 'mordor', 'gondor')];
    await withWorkers(stage, planned(aPlan([], { targets, settings: oneAtATime(60_000) })), async () => {
      const handle = await startRun(stage);
      const phases = await waitFor('the targets of the other host to be done', async () => {
        const rows = (await handle.query<RunProgress>(RUN_PROGRESS_QUERY)).targets;
        return rows.filter(({ phase }) => phase === 'done').length === 2 && rows.map(({ phase }) => phase);
      });
      expect(phases).toEqual(['capturing', 'waiting', 'done', 'done']);
      await handle.cancel();
      await ending(handle).catch(() => undefined);
    });
  });

  it('that was waited for in vain is asked about before each of its other targets fails', async () => {
    const asked: boolean[] = [];
    const answers = [false, true, false]; // for the first target; its worker is back; and is gone again
    const isQueuePolled = () => {
      asked.push(answers[asked.length] ?? true);
      return Promise.resolve(asked.at(-1) ?? true);
    };
    const plan = aPlan([], { targets: on('north', 'shire', 'bree'), settings: oneAtATime(500) });
    const { report } = await withWorkers(stage, planned(plan, { orchestrator: { isQueuePolled } }), async () =>
      ending(await startRun(stage)),
    );
    expect(asked).toEqual(answers);
    expect(report.targets.map(({ durationMs }) => durationMs !== undefined)).toEqual([true, true]); // both had a child
  });
});

describe('globals', () => {
  it('come before the databases, which are drilled with their roles', async () => {
    const targets: Target[] = [aTarget('mordor'), { ...aTarget('roles'), kind: 'globals', logins: [] }];
    const begun: string[] = [];
    const captureTarget: HostActivities['captureTarget'] = (input) => {
      begun.push(input.target.name);
      return Promise.resolve(anArtifact(input));
    };
    const fakes = planned(aPlan([], { targets, settings: oneAtATime(60_000) }), { host: { captureTarget } });
    const { targets: told } = await withWorkers(stage, fakes, async () => (await startRun(stage)).result());
    expect(begun).toEqual(['roles', 'mordor']);
    expect(told.map(({ target }) => target)).toEqual(['mordor', 'roles']);
  });
});

describe('the record of a run on a further host', () => {
  it('that cannot be left there is a warning', async () => {
    const recordRun = () => Promise.reject(ApplicationFailure.nonRetryable('cannot write: because the disk is full'));
    const plan = aPlan([], { targets: on('north', 'shire') });
    const report = await withWorkers(stage, planned(plan, { host: { recordRun }, hostName: 'north' }), async () =>
      (await startRun(stage)).result(),
    );
    expect(report).toMatchObject({ outcome: 'succeeded', warnings: ['cannot write: because the disk is full'] });
  });
});
