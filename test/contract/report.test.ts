import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { RunPlan } from '../../src/domain/run.js';
import type { ReportRunInput } from '../../src/domain/steps.js';
import type { Runtime } from '../../src/runtime.js';
import { readRunRecord } from '../../src/run-records.js';
import { reportRun } from '../../src/steps/report.js';
import { aPlan } from '../support/a-plan.js';
import { ownLocal } from '../support/places.js';
import { aRunRecord } from '../support/run-record.js';

const RUN = '20261124_030000';

/** Reports a run over the targets of other hosts, beside a directory and a destination that all hosts share. */
async function report({ artifacts, ...plan }: Pick<RunPlan, 'reserved'> & { artifacts: string[] }) {
  const [local, shared] = [await ownLocal(), await ownLocal()];
  const runtime = { local, destination: () => shared } as unknown as Runtime;
  const { targets, startedAt } = aRunRecord({ run: RUN, artifacts });
  const planned = aPlan([], { ...plan, run: RUN, destinations: ['local', 's3'] });
  const ended = { run: RUN, workflowId: 'w', outcome: 'partial' as const, targets, warnings: [] };
  const input: ReportRunInput = { plan: planned, startedAt, trigger: 'schedule', report: ended };
  expect(await reportRun(runtime, input)).toEqual([]);
  return { here: await readdir(local.root), there: await readRunRecord(shared, RUN) };
}

test('a run leaves its record here and where all hosts see it', async () => {
  const { here, there } = await report({ reserved: true, artifacts: [] });
  expect(here).toEqual([RUN]);
  expect(there).toMatchObject({ run: RUN, outcome: 'partial' });
});

test('one without this directory leaves its record only where there are artifacts of other hosts', async () => {
  const { here, there } = await report({ reserved: false, artifacts: ['shire'] });
  expect(here).toEqual([]);
  expect(there).toMatchObject({ run: RUN, directoryId: '' });
});

test('one without this directory and without artifacts leaves nothing', async () => {
  expect(await report({ reserved: false, artifacts: [] })).toEqual({ here: [], there: undefined });
});
