import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes.js';
import type { RunPlan, RunReport } from '../../src/domain/run.js';
import {
  findSearchAttributes,
  registerSearchAttributes,
  searchAttributeProbe,
} from '../../src/temporal/search-attributes.js';
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

const why = ApplicationFailure.nonRetryable('cannot connect to mordor: because nobody is there');

function planned(plan: RunPlan, fakes: FakeActivities = {}): FakeActivities {
  const orchestrator = { planRun: () => Promise.resolve({ searchAttributes: true, ...plan }), ...fakes.orchestrator };
  return { ...fakes, orchestrator };
}

async function idsFoundBy(stage: Stage, query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of stage.client.workflow.list({ query })) ids.push(workflowId);
  return ids.sort();
}

/** The visibility store follows within a moment. */
function untilFoundBy(stage: Stage, query: string, ids: string[]): Promise<unknown> {
  const wanted = JSON.stringify([...ids].sort());
  return waitFor(`${query} to find ${wanted}`, async () => {
    const found = JSON.stringify(await idsFoundBy(stage, query));
    if (found !== wanted) throw new Error(`found ${found}`);
    return true;
  });
}

async function removeAttributes({ client, namespace }: Stage, searchAttributes: string[]): Promise<void> {
  await client.connection.operatorService.removeSearchAttributes({ namespace, searchAttributes });
}

describe('in a namespace with the search attributes', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ searchAttributes: SEARCH_ATTRIBUTES });
  });
  afterAll(() => stage.close());

  it('runs and their targets are found by target, outcome and run id', async () => {
    const run = '20261124_040000';
    const plan = aPlan(['mordor', 'gondor'], { run, refused: [{ target: 'shire', kind: 'volume', error: 'unset' }] });
    const fakes: FakeActivities = {
      host: {
        captureTarget: (input) =>
          input.target.name === 'mordor' ? Promise.reject(why) : Promise.resolve(anArtifact(input)),
      },
    };
    const id = await withWorkers(stage, planned(plan, fakes), async () => {
      const handle = await startRun(stage);
      await ending(handle);
      return handle.workflowId;
    });
    const child = (name: string) => `middle-earth/database/${name}`;
    await untilFoundBy(stage, `BackupRunId = "${run}"`, [id, child('mordor'), child('gondor')]);
    await untilFoundBy(stage, `BackupFailedTargets = "mordor"`, [id, child('mordor')]);
    await untilFoundBy(stage, `BackupTargets = "mordor" AND BackupOutcome = "failed"`, [child('mordor')]);
    await untilFoundBy(stage, `BackupTargets = "gondor" AND BackupOutcome = "succeeded"`, [child('gondor')]);
    await untilFoundBy(stage, `BackupFailedTargets = "shire" AND BackupOutcome = "partial"`, [id]);
    await untilFoundBy(stage, `BackupFailedTargets = "gondor"`, []);
  });

  it('a target that the deadline of its run ended is found among the failed ones', async () => {
    const run = '20261124_060000';
    const plan = aPlan(['rohan'], { run, settings: { ...SETTINGS, deadlineMs: 5_000 } });
    const { report } = await withWorkers(stage, planned(plan, { host: { captureTarget: untilCancelled } }), async () =>
      ending(await startRun(stage)),
    );
    expect(report.targets).toMatchObject([{ target: 'rohan', outcome: 'failed' }]);
    const ofTarget = `BackupRunId = "${run}" AND WorkflowType = "BackupTarget"`;
    await untilFoundBy(stage, `BackupFailedTargets = "rohan" AND BackupOutcome = "failed" AND ${ofTarget}`, [
      'middle-earth/database/rohan',
    ]);
  });

  it('a target that was cancelled with its run is not', async () => {
    const run = '20261124_070000';
    await withWorkers(
      stage,
      planned(aPlan(['rohan'], { run }), { host: { captureTarget: untilCancelled } }),
      async () => {
        const handle = await startRun(stage);
        const ofTarget = `BackupRunId = "${run}" AND WorkflowType = "BackupTarget"`;
        await untilFoundBy(stage, ofTarget, ['middle-earth/database/rohan']);
        await handle.cancel();
        await handle.result().catch(() => undefined);
        await untilFoundBy(stage, `BackupOutcome = "cancelled" AND ${ofTarget}`, ['middle-earth/database/rohan']);
      },
    );
  });

  it('a run of more failed targets than fit is found by the first of them', async () => {
    const run = '20261124_080000';
    const names = Array.from({ length: 35 }, (_, i) => `f${String(i)}-`.padEnd(63, 'x'));
    const refused = names.map((target) => ({ target, kind: 'volume' as const, error: 'unset' }));
    const id = await withWorkers(stage, planned(aPlan([], { run, refused })), async () => {
      const handle = await startRun(stage);
      await ending(handle);
      return handle.workflowId;
    });
    await untilFoundBy(stage, `BackupFailedTargets = "${names[0] ?? ''}" AND BackupOutcome = "failed"`, [id]);
  });

  it('a run of more targets than fit is found by those that failed', async () => {
    const last = 'mordor';
    const run = '20261124_050000';
    const names = Array.from({ length: 35 }, (_, i) => `t${String(i)}-`.padEnd(63, 'x'));
    const plan = aPlan([...names, last], { run, settings: { ...SETTINGS, maxParallel: 20 } });
    const fakes: FakeActivities = {
      host: {
        captureTarget: (input) =>
          input.target.name === last ? Promise.reject(why) : Promise.resolve(anArtifact(input)),
      },
    };
    const id = await withWorkers(stage, planned(plan, fakes), async () => {
      const handle = await startRun(stage);
      await ending(handle);
      return handle.workflowId;
    });
    const ofRun = `BackupRunId = "${run}" AND WorkflowType = "BackupRun"`;
    await untilFoundBy(stage, `BackupTargets = "${last}" AND ${ofRun}`, [id]);
    await untilFoundBy(stage, `BackupFailedTargets = "${last}" AND ${ofRun}`, [id]);
    await untilFoundBy(stage, `BackupTargets = "${names[0] ?? ''}" AND ${ofRun}`, [id]);
  });
});

describe('a namespace that lacks them', () => {
  async function settled(stage: Stage, fakes: FakeActivities): Promise<RunReport> {
    return withWorkers(stage, fakes, async () => (await ending(await startRun(stage))).report);
  }

  it('does not hang a run whose plan says so', async () => {
    const stage = await openStage();
    const hasSearchAttributes = () => Promise.reject(new Error('nobody asks'));
    const plan = aPlan(['mordor'], { searchAttributes: false });
    expect(await settled(stage, planned(plan, { orchestrator: { hasSearchAttributes } }))).toMatchObject({
      outcome: 'succeeded',
    });
    await stage.close();
  });

  it('does not hang a run that was told otherwise at first', async () => {
    const stage = await openStage();
    let asked = 0;
    const hasSearchAttributes = () => Promise.resolve(++asked <= 2);
    expect(await settled(stage, planned(aPlan(['mordor']), { orchestrator: { hasSearchAttributes } }))).toMatchObject({
      outcome: 'succeeded',
    });
    expect(asked).toBeGreaterThan(4); // run and target, at start and end, and again for each that was refused
    await stage.close();
  });

  it('does not hang a run when one is removed meanwhile', async () => {
    const stage = await openStage({ searchAttributes: SEARCH_ATTRIBUTES });
    const fakes = planned(aPlan(['mordor']), {
      orchestrator: { hasSearchAttributes: searchAttributeProbe(stage.client) },
      host: {
        captureTarget: async (input) => {
          await removeAttributes(stage, ['BackupOutcome']);
          return anArtifact(input);
        },
      },
    });
    expect(await settled(stage, fakes)).toMatchObject({ outcome: 'succeeded' });
    await stage.close();
  });

  it('gets them from a worker, once', async () => {
    const stage = await openStage();
    expect((await findSearchAttributes(stage.client)).missing).toHaveLength(4);
    expect(await registerSearchAttributes(stage.client)).toBeUndefined();
    expect(await findSearchAttributes(stage.client)).toEqual({ missing: [], mistyped: [] });
    expect(await registerSearchAttributes(stage.client)).toBeUndefined();
    await stage.close();
  });

  it('is told what to do where the server refuses to add them', async () => {
    const taken = { A: 'KEYWORD_LIST', B: 'KEYWORD_LIST', C: 'KEYWORD_LIST' } as const; // all that SQL stores have
    const stage = await openStage({ searchAttributes: taken });
    const warning = await registerSearchAttributes(stage.client);
    expect(warning).toMatch(/^cannot make runs searchable .*: because .*cannot have more than 3 .*KeywordList/);
    expect(warning).toContain(
      `\nHINT: temporal operator search-attribute create --namespace ${stage.namespace} --name BackupTargets --type KeywordList`,
    );
    await stage.close();
  });

  it('is told what to do where one of them has another type, and runs do without', async () => {
    const stage = await openStage({ searchAttributes: { ...SEARCH_ATTRIBUTES, BackupOutcome: 'INT' } });
    const warning = await registerSearchAttributes(stage.client);
    expect(warning).toContain('because BackupOutcome is no Keyword');
    expect(warning).toContain('search-attribute remove');
    const hasSearchAttributes = searchAttributeProbe(stage.client);
    expect(await hasSearchAttributes()).toBe(false);
    expect(await settled(stage, planned(aPlan(['mordor']), { orchestrator: { hasSearchAttributes } }))).toMatchObject({
      outcome: 'succeeded',
    });
    await stage.close();
  });
});
