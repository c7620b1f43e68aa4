import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { BackupError } from '../domain/errors.js';
import { exitCodeOf } from '../domain/outcome.js';
import type { BackupRunInput } from '../domain/run.js';
import { ORCHESTRATOR_QUEUE, runWorkflowIdPrefix } from '../domain/task-queues.js';
import { requireNamed } from '../steps/select-targets.js';
import { queuePollers } from '../temporal/pollers.js';
import type { BackupRun } from '../workflows/backup-run.js';
import type { AddCommand, CommandContext } from './context.js';
import { followRun } from './follow-run.js';
import { Interrupt } from './interrupt.js';
import { liveDisplay, plainDisplay, type RunDisplay } from './run-display.js';
import { allWarnings, describeReport } from './run-lines.js';
import { findService } from './service.js';

interface RunOptions {
  detach?: boolean;
  json?: boolean;
}

export const addRunCommand: AddCommand = (program, context) => {
  program
    .command('run')
    .description('backs up the named targets, or all, and follows the run to its end')
    .argument('[target...]', 'names of targets (default: all that are enabled)')
    .option('--detach', 'start it and return; `backupctl status` shows it')
    .option('--json', 'print the report as JSON on stdout, and the progress on stderr')
    .action((targets: string[], options: RunOptions) =>
      context.withTemporal((client) => run(context, client, targets, options)),
    );
};

async function run(context: CommandContext, client: Client, targets: string[], options: RunOptions): Promise<void> {
  const runtime = await context.base();
  requireNamed(runtime.config, targets); // the plan says so too, in a run that has failed by then
  const service = await findService(runtime, client);
  const workflowId = `${runWorkflowIdPrefix(service)}-manual-${new Date().toISOString()}-${randomBytes(2).toString('hex')}`;
  await refuseUnpolled(client);
  await client.workflow.start<typeof BackupRun>('BackupRun', {
    workflowId,
    taskQueue: ORCHESTRATOR_QUEUE,
    args: [{ trigger: 'manual', targets } satisfies BackupRunInput],
    staticSummary: targets.length === 0 ? 'manual backup' : `manual backup of ${targets.join(', ')}`,
  });
  if (options.detach) return detached(context, workflowId, options);

  const display = displayOf(context, options);
  const ending = await followRun({ client, workflowId, display, interrupt: new Interrupt() });
  if (ending === 'detached') return detached(context, workflowId, options);
  if (options.json) context.printJson(reportOf(ending));
  else for (const text of describeReport(ending)) context.print(text);
  for (const warning of allWarnings(ending)) context.say(`warning: ${warning}`);
  context.exitCode = exitCodeOf(ending.outcome);
}

function displayOf(context: CommandContext, { json }: RunOptions): RunDisplay {
  const say = (text: string) => context.say(text);
  if (json) return plainDisplay({ line: say, say });
  const line = (text: string) => context.print(text);
  const isLive = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
  return isLive ? liveDisplay({ line, say, stream: process.stdout }) : plainDisplay({ line, say });
}

/** Without the warnings, which are messages. */
function reportOf({
  run: id,
  workflowId,
  outcome,
  targets,
}: Exclude<Awaited<ReturnType<typeof followRun>>, 'detached'>) {
  return { run: id, workflowId, outcome, targets };
}

function detached(context: CommandContext, workflowId: string, { json }: RunOptions): void {
  if (json) context.printJson({ workflowId });
  else context.print(workflowId);
  context.say('the run goes on; `backupctl status` shows it');
}

async function refuseUnpolled(client: Client): Promise<void> {
  if ((await queuePollers(client, { taskQueue: ORCHESTRATOR_QUEUE, type: 'workflow' })).length > 0) return;
  throw new BackupError('Unpolled', `cannot start a run: because no worker polls ${ORCHESTRATOR_QUEUE}`, {
    hint: 'start a worker (`docker compose up -d`, or `npm start`); `backupctl doctor` shows what else is missing',
  });
}
