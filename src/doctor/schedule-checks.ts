import type { Client } from '@temporalio/client';
import { plannedStarts, type PlannedStart } from '../config/schedules.js';
import { BackupError } from '../domain/errors.js';
import type { Runtime } from '../runtime.js';
import {
  findSchedule,
  listSchedules,
  ofService,
  refuseStrangers,
  scheduleId,
  type ScheduleKey,
} from '../temporal/schedules.js';
import type { Check } from './check.js';
import { whereConnected, type TemporalAccess } from './temporal-access.js';

const APPLY = 'backupctl schedule apply, or start the worker again';

/** Whether Temporal starts runs when the configuration says so, and at no other time. */
export function scheduleChecks({ config }: Runtime, temporal: TemporalAccess): Check[] {
  const { timezone } = config.backup;
  const starts = plannedStarts(config);
  const serviceOf = async () => {
    const service = await temporal.service;
    if (service === undefined) throw unknownService();
    return service;
  };
  const connected = () => whereConnected('whether the schedule is there', temporal.client);
  const ofStart = (start: PlannedStart): Check => ({
    check: start.starts === 'verify' ? 'verify schedule' : 'schedule',
    subject: `${start.cron} (${timezone})`,
    run: async () => {
      const [client, service] = [await connected(), await serviceOf()];
      refuseStrangers(await temporal.schedules, service, temporal.namespace);
      return checkOne(client, { service, ...start, timezone });
    },
  });
  const others: Check = {
    check: 'schedules',
    subject: starts.length === 0 ? 'none' : 'no other',
    run: async () => {
      const [client, service] = [await connected(), await serviceOf()];
      return checkOthers(
        client,
        service,
        starts.map((start) => ({ service, ...start, timezone })),
      );
    },
  };
  return [...starts.map(ofStart), others];
}

async function checkOne(client: Client, key: ScheduleKey): Promise<string> {
  const found = await findSchedule(client, key);
  if (found === undefined) throw await missing(client, key);
  const { state, info } = found.description;
  if (state.paused) {
    const note = state.note === undefined || state.note === '' ? '' : ` (${state.note})`;
    throw new BackupError('Failed', `cannot start runs by itself: because the schedule is paused${note}`, {
      hint: 'backupctl schedule resume',
    });
  }
  const [next] = info.nextActionTimes;
  return next === undefined ? 'it never fires again' : `next run ${next.toISOString()}`;
}

async function checkOthers(client: Client, service: string, keys: readonly ScheduleKey[]): Promise<string> {
  const wished = new Set(keys.map(scheduleId));
  const other = ofService(await listSchedules(client), service).find((s) => !wished.has(s.scheduleId));
  if (other === undefined) return keys.length === 0 ? 'none is configured: runs are started by hand' : 'fires';
  const name = other.memo.cron ?? other.scheduleId;
  const message = `cannot rely on the schedules: because ${name} fires, which the configuration does not name`;
  throw new BackupError('Conflict', message, { hint: `${APPLY}, which removes it` });
}

async function missing(client: Client, { service, cron, timezone }: ScheduleKey): Promise<BackupError> {
  const isOther = ofService(await listSchedules(client), service).length > 0;
  const because = isOther ? 'Temporal has only others' : 'Temporal has none';
  return new BackupError('NotFound', `cannot start runs at ${cron} (${timezone}): because ${because}`, { hint: APPLY });
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
