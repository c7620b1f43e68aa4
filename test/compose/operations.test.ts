import { readFile } from 'node:fs/promises';
import { expect, inject, it } from 'vitest';
import { startedRun } from '../support/compose-run.js';
import { ComposeStack } from '../support/compose-stack.js';
import { waitFor } from '../support/wait-for.js';

const stack = new ComposeStack(inject('stack'));
const GUIDE = new URL('../../docs/operations.md', import.meta.url);

/** The commands below a heading of docs/operations.md, with the names of this stack. */
async function commandsOf(heading: string): Promise<string> {
  const [, below = ''] = (await readFile(GUIDE, 'utf8')).split(`# ${heading}\n`);
  const [, commands] = /^```sh\n([^]*?)^```$/m.exec(below) ?? [];
  if (commands === undefined) throw new Error(`no commands below ${heading}`);
  return commands.replaceAll('backup-orchestrator_', `${stack.files.name}_`);
}

async function runsOfMordor(): Promise<string[]> {
  const artifacts = JSON.parse(await stack.backupctl('list', 'mordor', '--from', 'local', '--json')) as {
    run: string;
  }[];
  return artifacts.map(({ run }) => run);
}

async function runAll(): Promise<string> {
  const { code, output } = await startedRun(stack).ended;
  expect(output).toMatch(/: succeeded \(8 succeeded\)$/m);
  expect(code).toBe(0);
  return /^run (\d{8}_\d{6})/m.exec(output)?.[1] ?? '';
}

/** What Temporal knows, as its own program lists it. */
function workflowsOf(query: string): Promise<string> {
  const temporal = ['run', '--rm', '--no-deps', '--no-TTY', '--entrypoint', 'temporal', 'temporal-namespace'];
  return stack.compose(...temporal, 'workflow', 'list', '--address', 'temporal:7233', '--query', query);
}

it('goes on with an empty Temporal database: the schedule is made, and old artifacts count', async () => {
  const before = await runAll();
  await stack.shell(await commandsOf("Losing Temporal's database"));
  expect(await workflowsOf('WorkflowType = "BackupRun"')).toBe('');
  expect(JSON.parse(await stack.backupctl('schedule', 'show', '--json'))).toMatchObject([
    { starts: 'backup', paused: false },
    { starts: 'verify', paused: false },
  ]);
  const after = await runAll();
  expect((await runsOfMordor()).slice(0, 2)).toEqual([after, before]);
});

it("goes on with Temporal's databases as they were backed up, and with the run that went on then", async () => {
  const run = await runAll();
  await stack.shell(await commandsOf("Restoring Temporal's databases"));
  await waitFor('the run of the backup to end', async () => {
    const open = await workflowsOf('WorkflowType = "BackupRun" AND ExecutionStatus = "Running"');
    return open === '' ? true : undefined;
  });
  expect(await workflowsOf(`BackupRunId = "${run}" AND WorkflowType = "BackupRun"`)).toContain('BackupRun');
  const after = await runAll();
  expect((await runsOfMordor()).slice(0, 2)).toEqual([after, run]);
});
