import type { Client } from '@temporalio/client';
import { cronOf, plannedStarts, type PlannedStart } from '../config/schedules.js';
import { readIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import type { BaseRuntime } from '../runtime.js';
import { applySchedules } from '../temporal/schedule-apply.js';
import { findSchedule } from '../temporal/schedules.js';
import type { AddCommand, CommandContext } from './context.js';
import { findService } from './service.js';

const SHOWN_FIRES = 5;

export const addScheduleCommand: AddCommand = (program, context) => {
  const schedule = program.command('schedule').description('shows and changes the schedules of runs');
  schedule
    .command('show')
    .description('shows the schedules as Temporal has them')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => context.withTemporal((client) => show(context, client, json === true)));
  schedule
    .command('apply')
    .description("makes Temporal's schedules those of the configuration")
    .action(() => context.withTemporal((client) => apply(context, client)));
  schedule
    .command('pause')
    .description('no run starts by itself until `resume`')
    .action(() =>
      context.withTemporal(async (client) => {
        const { schedules, missing } = await existing(context, client);
        for (const { handle } of schedules) await handle.pause('backupctl schedule pause');
        requireAll(missing);
      }),
    );
  schedule
    .command('resume')
    .description('runs start by themselves again')
    .action(() =>
      context.withTemporal(async (client) => {
        const { schedules, missing } = await existing(context, client);
        for (const { handle } of schedules) await handle.unpause('backupctl schedule resume');
        requireAll(missing);
      }),
    );
};

async function show(context: CommandContext, client: Client, json: boolean): Promise<void> {
  const runtime = await context.base();
  const { schedules, missing } = await existing(context, client);
  const shown = schedules.map(({ key, description: { scheduleId, state, info } }) => ({
    scheduleId,
    schedule: key.cron,
    starts: key.starts,
    timezone: key.timezone,
    paused: state.paused,
    targets: targetsOf(runtime, key),
    next: info.nextActionTimes.slice(0, SHOWN_FIRES).map((time) => time.toISOString()),
  }));
  if (json) context.printJson(shown);
  else printSchedules(context, shown);
  requireAll(missing);
}

interface ShownSchedule extends Pick<PlannedStart, 'starts'> {
  schedule: string;
  timezone: string;
  paused: boolean;
  targets: string[];
  /** RFC 3339. */
  next: string[];
}

function printSchedules(context: CommandContext, shown: readonly ShownSchedule[]): void {
  for (const { schedule, starts, timezone, paused, targets, next } of shown) {
    context.print(
      `${starts === 'verify' ? 'verify ' : ''}${schedule} (${timezone})${paused ? ', paused' : ''}: ${targets.join(', ') || 'no target'}`,
    );
    for (const time of next) context.print(`  next ${time}`);
  }
}

function targetsOf({ config }: BaseRuntime, { starts, cron }: PlannedStart): string[] {
  if (starts === 'verify')
    return [...config.targets, ...config.globals].filter((t) => t.verify?.cron === cron).map(({ name }) => name);
  const entries = [...config.targets, ...config.refused.map((entry) => ({ ...entry, name: entry.target }))];
  return entries.filter((entry) => cronOf(entry, config) === cron).map(({ name }) => name);
}

async function apply(context: CommandContext, client: Client): Promise<void> {
  const runtime = await context.base();
  const { config, local } = runtime;
  const service = await findService(runtime, client);
  const identity = await readIdentity(local.root);
  const directoryIds: Record<string, string> = identity === undefined ? {} : { [config.host]: identity.id };
  const { timezone } = config.backup;
  const applied = await applySchedules(client, { service, starts: plannedStarts(config), timezone, directoryIds });
  for (const { starts, cron, scheduleId, outcome } of applied)
    context.say(`${starts === 'verify' ? 'verify ' : ''}schedule ${cron ?? scheduleId}: ${outcome}`);
  if (applied.length === 0) context.say('no schedule: runs are started by hand');
}

/** Those of the configuration that Temporal has. Throws NotFound where none is configured. */
async function existing(context: CommandContext, client: Client) {
  const runtime = await context.base();
  const { config } = runtime;
  const { timezone } = config.backup;
  const starts = plannedStarts(config);
  if (starts.length === 0) {
    const hint = 'set backup_config.schedule, then `backupctl schedule apply`';
    throw new BackupError('NotFound', `cannot find a schedule: because ${config.file} names none`, { hint });
  }
  const service = await findService(runtime, client);
  const keys = starts.map((start) => ({ service, ...start, timezone }));
  const found = await Promise.all(keys.map(async (key) => ({ key, schedule: await findSchedule(client, key) })));
  return {
    schedules: found.flatMap(({ key, schedule }) => (schedule === undefined ? [] : [{ ...schedule, key }])),
    missing: found.filter(({ schedule }) => schedule === undefined).map(({ key }) => key.cron),
  };
}

/** Throws NotFound where one is missing, after those that are there were shown or changed. */
function requireAll(missing: readonly string[]): void {
  if (missing.length === 0) return;
  const message = `cannot find the schedule ${missing.join(', ')}: because Temporal has none like it`;
  throw new BackupError('NotFound', message, { hint: '`backupctl schedule apply`, or start a worker' });
}
