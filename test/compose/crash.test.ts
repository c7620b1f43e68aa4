import { expect, inject, onTestFinished, test } from 'vitest';
import { detachedRun, holdMordor, startedRun, waitForHeldDump } from '../support/compose-run.js';
import { ComposeStack } from '../support/compose-stack.js';

const stack = new ComposeStack(inject('stack'));

test('a run whose Temporal server is killed in the middle goes on when it is back, and so does who follows it', async () => {
  const held = await holdMordor(stack);
  onTestFinished(held.release);
  const run = startedRun(stack);
  await waitForHeldDump(stack);
  await stack.crash('temporal');
  await held.release();
  const { code, output } = await run.ended;
  expect(output).toMatch(/: succeeded \(8 succeeded\)$/m);
  expect(code).toBe(0);
});

test('a run whose worker is killed in the middle goes on with the next one', async () => {
  const held = await holdMordor(stack);
  onTestFinished(held.release);
  const run = await detachedRun(stack);
  await waitForHeldDump(stack);
  await stack.crash('backup-orchestrator');
  await held.release();
  expect(await run.outcome()).toBe('succeeded');
  const parts = await stack.exec('backup-orchestrator', 'find', '/backups', '-name', '*.part');
  expect(parts).toBe('');
});

test('containers that are made anew, with other hostnames, go on with what was there', async () => {
  const before = await stack.inspect('backup-orchestrator');
  const known = await stack.backupctl('list', 'mordor', '--json');
  await stack.up('--force-recreate');
  const after = await stack.inspect('backup-orchestrator');
  expect(after.Config.Hostname).not.toBe(before.Config.Hostname);
  const { code, output } = await startedRun(stack).ended;
  expect(output).toMatch(/: succeeded \(8 succeeded\)$/m);
  expect(code).toBe(0);
  const runsOf = (json: string) => (JSON.parse(json) as { run: string }[]).map(({ run }) => run);
  const now = runsOf(await stack.backupctl('list', 'mordor', '--json'));
  expect(now.length).toBeGreaterThan(0);
  expect(now.length).toBeGreaterThanOrEqual(Math.min(10, runsOf(known).length));
});
