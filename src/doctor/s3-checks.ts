import { randomBytes } from 'node:crypto';
import type { S3Settings } from '../config/config.js';
import type { Destination } from '../destinations/destination.js';
import { clockAheadMs } from '../destinations/s3-clock.js';
import { BackupError } from '../domain/errors.js';
import type { Runtime } from '../runtime.js';
import type { Check } from './check.js';

/** S3 refuses at 15 minutes; long before that, something is wrong with a clock. */
const CLOCK_TOLERANCE_MS = 60_000;
const PROBE_TEXT = 'written by backupctl doctor, and removed at once\n';

/** Whether the bucket answers, takes, gives back and lets go of an object, and agrees on the time; none where there is no bucket. */
export function s3Checks({ config, destinations }: Runtime): Check[] {
  const { s3 } = config.backup;
  const destination = destinations.find(({ kind }) => kind === 's3');
  if (s3 === undefined || destination === undefined) return [];
  return [
    {
      check: 'destination',
      subject: 's3',
      run: () => destination.check().then(() => `${destination.location} can be used`),
    },
    { check: 'object', subject: destination.location, run: () => checkObject(destination) },
    { check: 'clock', subject: destination.location, run: (signal) => checkClock(s3, signal) },
  ];
}

/** A bucket that keeps versions keeps those of the probe too, a few bytes, until its life cycle rules remove them. */
async function checkObject(destination: Destination): Promise<string> {
  const path = `.backup-check-${randomBytes(6).toString('hex')}`;
  try {
    await destination.createText(path, PROBE_TEXT);
    if ((await destination.readText(path)) !== PROBE_TEXT)
      throw unfaithful(destination, 'gives back other bytes than it was given');
  } finally {
    await destination.remove(path);
  }
  if ((await destination.stat(path)) !== undefined)
    throw unfaithful(destination, 'still shows an object that was removed');
  return 'an object was put, read and removed';
}

function unfaithful({ location }: Destination, does: string): BackupError {
  return new BackupError('Failed', `cannot trust ${location}: because it ${does}`, {
    hint: 'see what stands between this host and the store (a cache, a proxy), and the rules of the bucket',
  });
}

async function checkClock(s3: S3Settings, signal: AbortSignal): Promise<string> {
  const aheadMs = await clockAheadMs(s3, signal);
  if (aheadMs === undefined) return 'the store tells no time';
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const found = `this host's clock is ${String(seconds)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} that of the store`;
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return seconds <= 1 ? 'the clocks agree' : found;
  throw new BackupError('Failed', `cannot trust the clock: because ${found}`, {
    hint: 'set the clock of this host by NTP (timedatectl set-ntp true); S3 refuses at a difference of 15 minutes',
  });
}
