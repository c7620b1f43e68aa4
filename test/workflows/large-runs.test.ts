import { randomBytes } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../../src/commands/run-view.js';
import type { HostActivities } from '../../src/activities/host.js';
import { partsOf } from '../../src/domain/parts.js';
import type { RefusedTarget } from '../../src/domain/run.js';
import { RUN_PROGRESS_QUERY, type ReportRunInput, type RunProgress } from '../../src/domain/steps.js';
import { ORCHESTRATOR_QUEUE, partWorkflowId } from '../../src/domain/task-queues.js';
import type { BackupPart } from '../../src/workflows/backup-part.js';
import { waitFor } from '../support/wait-for.js';
import {
  SETTINGS,
  aPlan,
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

/** What a server takes of one payload. */
const LIMIT_BYTES = 2 * 1024 * 1024;

describe('a run of 5,000 targets', () => {
  it('may say more than a server takes as it is: in its plan, its record, its progress and its end', async () => {
    const refused: RefusedTarget[] = Array.from({ length: 5_000 }, (_, i) => ({
      ...{ target: `customer-${String(i)}`, kind: 'database' },
      error: `cannot read customer-${String(i)}: because DB_PASSWORD_${String(i)} is not set\nHINT: ${'set it '.repeat(60)}`,
    }));
    expect(JSON.stringify(refused).length).toBeGreaterThan(LIMIT_BYTES);
    const recorded: ReportRunInput[] = [];
    const orchestrator = {
      planRun: () => Promise.resolve(aPlan([], { refused })),
      reportRun(input: ReportRunInput) {
        recorded.push(input);
        return Promise.resolve([]);
      },
    };
    await withWorkers(stage, { orchestrator }, async () => {
      const handle = await startRun(stage);
      const { type, report } = await ending(handle);
      expect(type).toBe('FailedRun');
      expect(report.targets).toEqual(refused.map((each) => ({ ...each, outcome: 'failed' })));
      expect(recorded[0]?.report.targets).toEqual(report.targets);
      expect((await handle.query<RunProgress>(RUN_PROGRESS_QUERY)).report).toEqual(report);
    });
  });
});

describe('a run in parts', () => {
  const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];
  const inParts = (settings: Partial<typeof SETTINGS> = {}) =>
    aPlan(NAMES, { partSize: 3, settings: { ...SETTINGS, ...settings } });
  const planned = (plan = inParts(), host: FakeActivities['host'] = {}): FakeActivities => ({
    orchestrator: { planRun: () => Promise.resolve(plan) },
    host,
  });

  it('reports each target as a small run does, and no more of them are at work at once', async () => {
    let [now, most] = [0, 0];
    const pruned: string[] = [];
    const fakes = planned(inParts(), {
      async captureTarget(input) {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
        if (input.target.name === 'e') throw ApplicationFailure.nonRetryable('the disk is full');
        return { ...anArtifact(input), directoryId: 'the-directory' };
      },
      pruneDestination({ targets }) {
        pruned.push(...targets.map(({ target }) => target));
        return Promise.resolve({ removedCount: 0, warnings: [] });
      },
    });
    const { report, type } = await withWorkers(stage, fakes, async () => ending(await startRun(stage)));
    expect(type).toBe('PartialRun');
    expect(report.targets.map(({ target, outcome }) => `${target} ${outcome}`)).toEqual(
      NAMES.map((name) => `${name} ${name === 'e' ? 'failed' : 'succeeded'}`),
    );
    expect(report.targets[4]?.error).toBe('cannot dump e: because the disk is full');
    expect(pruned.sort()).toEqual(NAMES.filter((name) => name !== 'e'));
    expect(most).toBeLessThanOrEqual(SETTINGS.maxParallel);
  });

  it('takes few events of its history for a target', async () => {
    await withWorkers(stage, planned(), async () => {
      const handle = await startRun(stage);
      await handle.result();
      const part = await stage.client.workflow.getHandle(partWorkflowId(handle.workflowId, 1)).describe();
      expect(part.memo).toMatchObject({ parentWorkflowId: handle.workflowId });
      const { events } = await handle.fetchHistory();
      const children = events?.flatMap((event) => event.startChildWorkflowExecutionInitiatedEventAttributes ?? []);
      const types = children?.map(({ workflowType }) => workflowType?.name);
      const [inPart, target] = ['BackupPart', 'BackupTarget'];
      expect(types).toEqual([inPart, inPart, inPart, target, target, target, target]); // of 3, 3, 2, and what is left one by one
    });
  });

  it('that was reset waits for those of its parts that are going on', async () => {
    const { client } = stage;
    const run = `middle-earth/run-${randomBytes(4).toString('hex')}`;
    const plan = inParts();
    let goOn: () => void = () => undefined;
    const goesOn = new Promise<void>((resolve) => (goOn = resolve));
    const captured: string[] = [];
    const captureTarget: HostActivities['captureTarget'] = async (input) => {
      captured.push(input.target.name);
      if (input.target.name === 'a') await goesOn;
      return anArtifact(input);
    };
    const fakes: FakeActivities = {
      host: { captureTarget },
      orchestrator: {
        planRun: () => Promise.resolve(plan),
        findChildHolder: () => Promise.resolve({ parentWorkflowId: run, run: plan.run }),
        awaitPart({ childWorkflowId }) {
          goOn();
          return client.workflow.getHandle<typeof BackupPart>(childWorkflowId).result();
        },
      },
    };
    await withWorkers(stage, fakes, async () => {
      const { service, destinations, settings, targets } = plan;
      const [deadlineAt, host] = ['2999-01-01T00:00:00Z', 'default'];
      const common = { ...{ service, destinations, settings, deadlineAt, host }, run: plan.run, isUnpolled: false };
      const firstPart = partsOf({ targets, lanes: SETTINGS.maxParallel, partSize: 3 })[0] ?? [];
      await client.workflow.start<typeof BackupPart>('BackupPart', {
        ...{ workflowId: partWorkflowId(run, 1), taskQueue: ORCHESTRATOR_QUEUE },
        args: [{ ...common, targets: firstPart }],
      });
      const report = await (await startRun(stage, run)).result();
      expect(report.targets.map(({ outcome }) => outcome)).toEqual(NAMES.map(() => 'succeeded'));
    });
    expect(captured.sort()).toEqual(NAMES); // each once
  });

  it.each([
    ['cancelled', 'cancelled', 'cancelled with its run', 60_000],
    ['ended by its deadline', 'failed', "cannot start: because the run's deadline passed", 2_000],
  ])('that is %s says so of every target that was not done', async (how, outcome, whyNotBegun, deadlineMs) => {
    const fakes = planned(inParts({ deadlineMs }), { captureTarget: untilCancelled });
    const { targets } = await withWorkers(stage, fakes, async () => {
      const handle = await startRun(stage);
      if (how === 'cancelled') {
        const phases = await waitFor('both captures to be seen', async () => {
          const { targets } = await readRun({ client: stage.client, handle, description: await handle.describe() });
          const isSeen = targets.filter(({ step }) => step !== undefined).length === 2;
          return isSeen ? targets.map((row) => row.phase) : undefined;
        });
        expect(phases.filter((phase) => phase !== 'waiting')).toEqual(['capturing', 'capturing']);
        await handle.cancel();
      }
      await ending(handle).catch(() => undefined);
      return (await handle.query<RunProgress>(RUN_PROGRESS_QUERY)).report ?? { targets: [] };
    });
    expect(targets.map((each) => each.outcome)).toEqual(NAMES.map(() => outcome));
    expect(targets.filter(({ error }) => error === whyNotBegun).length).toBeGreaterThanOrEqual(
      NAMES.length - SETTINGS.maxParallel,
    );
  });

  it('asks about a host without a worker before each further target, in its parts too', async () => {
    const fakes = { ...planned(inParts({ unpolledTimeoutMs: 500 })), withHost: false };
    const { report } = await withWorkers(stage, fakes, async () => ending(await startRun(stage)));
    const error = 'no worker polls backup-default';
    expect(report.targets.every((each) => each.outcome === 'failed' && each.error?.includes(error))).toBe(true);
    expect(report.targets.filter(({ durationMs }) => durationMs !== undefined).length).toBeLessThanOrEqual(
      SETTINGS.maxParallel,
    );
  });
});
