import type { Client } from '@temporalio/client';
import { BackupError } from '../domain/errors.js';
import type { Runtime } from '../runtime.js';
import { findSchedule, listSchedules, refuseStrangers, scheduleId } from '../temporal/schedules.js';
import type { Check } from './check.js';
import { whereConnected, type TemporalAccess } from './temporal-access.js';

const APPLY = 'backupctl schedule apply, or start the worker again';

/** Whether Temporal starts runs when the configuration says so. */
export function scheduleChecks({ config }: Runtime, temporal: TemporalAccess): Check[] {
  const { schedule: cron, timezone } = config.backup;
  const subject = cron === undefined ? 'none' : `${cron} (${timezone})`;
  const run = async () => {
    const client = await whereConnected('whether the schedule is there', temporal.client);
    const service = await temporal.service;
    if (service === undefined) throw unknownService();
    refuseStrangers(await temporal.schedules, service, temporal.namespace);
    return cron === undefined ? checkNone(client, service) : checkSchedule(client, { service, cron, timezone });
  };
  return [{ check: 'schedule', subject, run }];
}

async function checkNone(client: Client, service: string): Promise<string> {
  const [found] = await ofService(client, service);
  if (found === undefined) return 'none is configured: runs are started by hand';
  throw new BackupError(
    'Conflict',
    `cannot rely on the schedule ${found.scheduleId}: because the configuration names none`,
    {
      hint: `${APPLY}, which removes it`,
    },
  );
}

interface Wish {
  service: string;
  cron: string;
  timezone: string;
}

async function checkSchedule(client: Client, wish: Wish): Promise<string> {
  const found = await findSchedule(client, wish);
  if (found === undefined) throw await missing(client, wish);
  const { state, info } = found.description;
  if (state.paused) {
    const note = state.note === undefined || state.note === '' ? '' : ` (${state.note})`;
    throw new BackupError('Failed', `cannot start runs by itself: because the schedule is paused${note}`, {
      hint: 'backupctl schedule resume',
    });
  }
  const obsolete = (await ofService(client, wish.service)).find((s) => s.scheduleId !== scheduleId(wish));
  if (obsolete !== undefined) {
    throw new BackupError('Conflict', `cannot rely on the schedule: because ${obsolete.scheduleId} fires beside it`, {
      hint: APPLY,
    });
  }
  const [next] = info.nextActionTimes;
  return next === undefined ? 'it never fires again' : `next run ${next.toISOString()}`;
}

async function missing(client: Client, { service, cron, timezone }: Wish): Promise<BackupError> {
  const other = (await ofService(client, service)).length > 0;
  const because = other ? 'Temporal has the one of an earlier configuration' : 'Temporal has none';
  return new BackupError('NotFound', `cannot start runs at ${cron} (${timezone}): because ${because}`, { hint: APPLY });
}

async function ofService(client: Client, service: string) {
  return (await listSchedules(client)).filter(({ memo }) => memo.backupService === service);
}

function unknownService(): BackupError {
  return new BackupError(
    'NotFound',
    'cannot tell which schedule is ours: because nobody knows the name of this service',
    {
      hint: 'start a worker once, or set backup_config.service',
    },
  );
}
