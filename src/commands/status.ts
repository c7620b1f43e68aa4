import type { Client } from '@temporalio/client';
import { BackupError } from '../domain/errors.js';
import type { PendingStep } from '../domain/pending-step.js';
import type { RunRecord } from '../domain/run.js';
import { listRunRecords, readRunRecord } from '../run-records.js';
import { connectClient } from '../temporal/connection.js';
import type { AddCommand, CommandContext } from './context.js';
import { stepText } from './live-lines.js';
import { printable } from './printable.js';
import { NO_WORKER, allWarnings, describeReport, targetLines } from './run-lines.js';
import { readRun, type RunView } from './run-view.js';
import { isShown } from './step-text.js';

/** How many ended runs are shown. */
const LAST_RUNS = 10;

interface RunningRun extends RunView {
  workflowId: string;
  startedAt: string;
}

export const addStatusCommand: AddCommand = (program, context) => {
  program
    .command('status')
    .description('shows what runs now and the last runs, or one run')
    .argument('[run]', 'id of a run')
    .option('--json', 'print JSON')
    .action((run: string | undefined, { json }: { json?: boolean }) =>
      run === undefined ? showAll(context, json === true) : showOne(context, run, json === true),
    );
};

async function showAll(context: CommandContext, json: boolean): Promise<void> {
  const { local } = await context.base();
  const running = await runningRuns(context);
  const runs = (await listRunRecords(local))
    .map((r) => withoutLostRuns(r, running))
    .filter((r) => r.outcome !== 'running');
  const shown = { running: running ?? null, runs: runs.slice(0, LAST_RUNS) };
  if (json) return context.printJson(shown);
  for (const run of shown.running ?? []) printRunning(context, run);
  if (shown.running?.length === 0) context.print('no run is going on');
  for (const run of shown.runs) context.print(summary(run));
}

async function showOne(context: CommandContext, id: string, json: boolean): Promise<void> {
  const { local } = await context.base();
  const record = await readRunRecord(local, id);
  const running = record === undefined || record.outcome === 'running' ? await runningRuns(context) : [];
  const live = running?.find((r) => r.run === id);
  if (live !== undefined) return json ? context.printJson(live) : printRunning(context, live);
  if (record === undefined) {
    const hint = '`backupctl status` lists the last runs';
    throw new BackupError('NotFound', `cannot show run ${id}: because ${local.location} has no record of it`, { hint });
  }
  const shown = withoutLostRuns(record, running);
  if (json) return context.printJson(shown);
  context.print(summary(shown));
  const targets = shown.targets.map((result) => ({ ...result, phase: 'done' as const, result }));
  for (const line of targetLines(targets)) context.print(printable(line));
  for (const warning of allWarnings(shown)) context.print(printable(`warning: ${warning}`));
}

/** Undefined where no Temporal server answers: that is said, and what is recorded is shown all the same. */
async function runningRuns(context: CommandContext): Promise<RunningRun[] | undefined> {
  try {
    const { client, close } = await connectClient();
    try {
      return await listRunning(client);
    } finally {
      await close();
    }
  } catch (error) {
    context.say(error instanceof BackupError ? error.text : String(error));
    return undefined;
  }
}

async function listRunning(client: Client): Promise<RunningRun[]> {
  const running: RunningRun[] = [];
  for await (const info of client.workflow.list({
    query: `WorkflowType = 'BackupRun' AND ExecutionStatus = 'Running'`,
  })) {
    const handle = client.workflow.getHandle(info.workflowId);
    const view = await readRun({ client, handle, description: await handle.describe() });
    running.push({ workflowId: info.workflowId, startedAt: info.startTime.toISOString(), ...view });
  }
  return running;
}

/** A record that says `running` although Temporal knows no such run: it was terminated, or the server lost it. */
function withoutLostRuns(record: RunRecord, running: RunningRun[] | undefined): RunRecord {
  if (record.outcome !== 'running' || running === undefined) return record;
  if (running.some((r) => r.workflowId === record.workflowId)) return record;
  return { ...record, outcome: 'failed', warnings: [...record.warnings, 'it ended without a report'] };
}

function printRunning(context: CommandContext, { run, workflowId, startedAt, ...view }: RunningRun): void {
  const { targets, steps, answered } = view;
  const name = run ?? (answered ? '(being planned)' : '(not known)');
  context.print(`run ${name}: running since ${startedAt} (${workflowId})`);
  for (const target of targets) {
    if (target.step === undefined) for (const line of targetLines([target])) context.print(`  ${printable(line)}`);
    else context.print(`  ${target.target}: ${textOf(target.step)}`);
  }
  const waiting = targets.filter(({ phase }) => phase === 'waiting').map(({ target }) => target);
  if (waiting.length > 0) context.print(`  ${waiting.length} waiting: ${waiting.join(', ')}`);
  for (const step of steps.filter(isShown)) context.print(`  ${textOf(step)}`);
  if (!answered) context.print(`  ${NO_WORKER}`);
}

function textOf(step: PendingStep): string {
  return stepText({ step, pad: 0, nowMs: Date.now(), rate: undefined });
}

function summary(record: RunRecord): string {
  const { run, outcome, targets, workflowId, warnings } = record;
  if (outcome === 'running') return `run ${run}: running (${workflowId})`;
  return describeReport({ run, outcome, targets, workflowId, warnings }).join('\n');
}
