import type { Client } from '@temporalio/client';
import { readIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import { DEFAULT_HOST } from '../domain/target.js';
import { applySchedule, findSchedule } from '../temporal/schedules.js';
import type { AddCommand, CommandContext } from './context.js';
import { findService } from './service.js';

export const addScheduleCommand: AddCommand = (program, context) => {
  const schedule = program.command('schedule').description('shows and changes the schedule of runs');
  schedule
    .command('show')
    .description('shows the schedule as Temporal has it')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => context.withTemporal((client) => show(context, client, json === true)));
  schedule
    .command('apply')
    .description("makes Temporal's schedule that of the configuration")
    .action(() => context.withTemporal((client) => apply(context, client)));
  schedule
    .command('pause')
    .description('no run starts by itself until `resume`')
    .action(() =>
      context.withTemporal(async (client) =>
        (await existing(context, client)).handle.pause('backupctl schedule pause'),
      ),
    );
  schedule
    .command('resume')
    .description('runs start by themselves again')
    .action(() =>
      context.withTemporal(async (client) =>
        (await existing(context, client)).handle.unpause('backupctl schedule resume'),
      ),
    );
};

async function show(context: CommandContext, client: Client, json: boolean): Promise<void> {
  const { wish, description } = await existing(context, client);
  const { state, info } = description;
  const shown = {
    scheduleId: description.scheduleId,
    schedule: wish.cron,
    timezone: wish.timezone,
    paused: state.paused,
    next: info.nextActionTimes.slice(0, 5).map((time) => time.toISOString()),
  };
  if (json) return context.printJson(shown);
  context.print(`${wish.cron} (${wish.timezone})${state.paused ? ', paused' : ''}`);
  for (const time of shown.next) context.print(`next ${time}`);
}

async function apply(context: CommandContext, client: Client): Promise<void> {
  const { config, local } = await context.runtime();
  const service = await findService(await context.runtime(), client);
  const identity = await readIdentity(local.root);
  const directoryIds: Record<string, string> = identity === undefined ? {} : { [DEFAULT_HOST]: identity.id };
  const { schedule: cron, timezone } = config.backup;
  const outcome = await applySchedule(
    client,
    service,
    cron === undefined ? undefined : { service, cron, timezone, directoryIds },
  );
  context.say(`schedule ${outcome}`);
}

async function existing(context: CommandContext, client: Client) {
  const { config } = await context.runtime();
  const { schedule: cron, timezone } = config.backup;
  if (cron === undefined) {
    const hint = 'set backup_config.schedule, then `backupctl schedule apply`';
    throw new BackupError('NotFound', `cannot find a schedule: because ${config.file} names none`, { hint });
  }
  const wish = { service: await findService(await context.runtime(), client), cron, timezone };
  const found = await findSchedule(client, wish);
  if (found !== undefined) return { ...found, wish };
  const hint = '`backupctl schedule apply`, or start a worker';
  throw new BackupError(
    'NotFound',
    `cannot find the schedule ${cron} (${timezone}): because Temporal has none like it`,
    { hint },
  );
}
