import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { ComposeStack } from '../support/compose-stack.js';
import { WebUi } from '../support/web-ui.js';

const stack = new ComposeStack(inject('stack'));
const backupsFile = join(stack.files.directory, 'backups.yml');
const GLOBALS = ['postgres-5432', 'temporal-postgresql-5432', 'transactions-5433'].map((server) => `globals:${server}`);
const REASON = /cannot connect to transactions .*: because .* database .transactions_2024. does not exist/;

let shipped = '';
let report: RunReport;
let ui: WebUi;

beforeAll(async () => {
  shipped = await readFile(backupsFile, 'utf8');
  // In place, since a single file that is mounted stays the one that it was.
  await writeFile(backupsFile, shipped.replace('database: "transactions"', 'database: "transactions_2024"'));
  const { code, stdout } = await stack.attempt(['exec', '-T', 'backup-orchestrator', 'backupctl', 'run', '--json']);
  expect({ code, outcome: (JSON.parse(stdout) as RunReport).outcome }).toEqual({ code: 3, outcome: 'partial' });
  report = JSON.parse(stdout) as RunReport;
  ui = await WebUi.open(stack);
});
afterEach(({ task }) => ui.keep(task.name.replaceAll(/\W+/g, '-')));
afterAll(async () => {
  await writeFile(backupsFile, shipped);
  await ui.close();
});

/** The id of a target's backups. */
function childOf(target: string): string {
  return `${report.workflowId.split('/')[0] ?? ''}/database/${target}`;
}

describe('in the Web UI', () => {
  it('a run is found by a target that failed in it, and shows all of its targets', async () => {
    const query = 'BackupFailedTargets = "transactions" AND WorkflowType = "BackupRun"';
    const found = await ui.search(query, { without: childOf('transactions') });
    await found.getByRole('link', { name: report.workflowId }).waitFor();
    await ui.keep('runs-in-which-transactions-failed');
    await ui.open(found, report.workflowId, 'User Metadata');
    const [, failed, ...others] = await tableRows(report.targets.length);
    expect(failed?.slice(0, 3)).toEqual(['transactions', 'database', 'failed']);
    expect(failed?.[3]).toMatch(REASON);
    expect(others.map(([target, , phase]) => `${target ?? ''} ${phase ?? ''}`).sort()).toEqual(
      [...GLOBALS, 'mordor', 'temporal', 'temporal_visibility', 'uploads'].map((target) => `${target} succeeded`),
    );
    await ui.show('web-ui-run', ui.page.getByRole('heading', { level: 1 }), ui.page.locator('iframe').last());
  });

  it('a run is a timeline of its targets, the failed one among them', async () => {
    const query = `BackupRunId = "${report.run}" AND WorkflowType = "BackupRun"`;
    await ui.open(await ui.search(query, { without: childOf('mordor') }), report.workflowId, 'Timeline');
    await ui.seeEvent('BackupTarget: Failed', `back up transactions in run ${report.run}`);
    await ui.seeEvent('BackupTarget: Completed', `back up mordor in run ${report.run}`);
    for (const destination of ['local', 's3']) {
      await ui.seeEvent('pruneDestination: Completed', `prune ${destination}`);
    }
    const first = ui.page.getByRole('button', { name: 'Event planRun: Completed' });
    await ui.show('web-ui-timeline', ui.page.getByRole('heading', { name: 'Timeline' }), first);
  });

  it('the backup of a target that failed is found by its name, and says why in its first line', async () => {
    const failed = 'BackupTargets="transactions" AND BackupOutcome="failed" AND WorkflowType="BackupTarget"';
    await ui.open(await ui.search(failed, { without: childOf('mordor') }), childOf('transactions'), 'Timeline');
    await ui.seeEvent('captureTarget: Failed', 'dump transactions');
    await ui.openTab('Event History');
    const last = ui.page.getByRole('row').filter({ hasText: 'Workflow Execution Failed' }).getByRole('cell').last();
    expect(await last.innerText()).toMatch(new RegExp(`^Failure Message\\s+${REASON.source}`));
  });

  it('each step of a target says what it does', async () => {
    const succeeded = `BackupRunId="${report.run}" AND BackupTargets="mordor" AND BackupOutcome="succeeded"`;
    await ui.open(await ui.search(succeeded, { without: report.workflowId }), childOf('mordor'), 'Timeline');
    await ui.seeEvent('captureTarget: Completed', 'dump mordor');
    await ui.seeEvent('copyArtifact: Completed', 'copy mordor to s3');
  });

  it('the schedule is seen with the times of its next runs', async () => {
    await ui.go('Schedules');
    const row = ui.page.getByRole('table', { name: 'Schedules' }).getByRole('row').filter({ hasText: 'BackupRun' });
    await row.getByText('At 03:00 every day').waitFor();
    await row.getByText('America/Sao_Paulo').waitFor();
    await row.getByText('6:00:00.00 AM UTC').first().waitFor();
  });
});

/** The table of the current details once it has so many rows, by cell; its head comes first. */
async function tableRows(count: number): Promise<string[][]> {
  const rows = ui.currentDetails.getByRole('row');
  await rows.nth(count).waitFor();
  const cells = (await rows.all()).map((row) => row.getByRole('cell').allInnerTexts());
  return (await Promise.all(cells)).map((texts) => texts.map((text) => text.trim()));
}
