import { expect, test } from 'vitest';
import { LARGEST_RUN_WITHOUT_PARTS, PART_SIZE } from '../../src/domain/parts.js';
import type { RunPlan } from '../../src/domain/run.js';
import type { Runtime } from '../../src/runtime.js';
import { planRun } from '../../src/steps/plan.js';
import { SETTINGS, aTarget } from '../support/a-plan.js';
import { ownLocal } from '../support/places.js';

async function plan(targetCount: number): Promise<RunPlan> {
  const local = await ownLocal();
  const targets = Array.from({ length: targetCount }, (_, i) => aTarget(`customer-${String(i)}`));
  const backup = { timezone: 'UTC', run: SETTINGS, schedule: '0 3 * * *' };
  const config = { ...{ targets, backup }, globals: [], refused: [], disabled: [], warnings: [] };
  const runtime = { config, local, destinations: [local] } as unknown as Runtime;
  const input = { workflowId: 'w', startedAt: '2026-11-24T03:00:00Z', trigger: 'manual' } as const;
  const context = { service: 'middle-earth', directoryIds: {}, missingCrons: new Set<string>(), warnings: [] };
  return planRun(runtime, input, context);
}

test('a run has parts from the number of targets on that its own history would not hold', async () => {
  const [small, large] = [await plan(LARGEST_RUN_WITHOUT_PARTS), await plan(LARGEST_RUN_WITHOUT_PARTS + 1)];
  expect('partSize' in small).toBe(false); // so that it is planned as ever
  expect(large).toMatchObject({ partSize: PART_SIZE, reserved: true });
});
