import type { Priority } from '../domain/priority.js';
import { bandwidth, line, wholeNumber } from './schema-leaves.js';

/** What keeps a backup from hurting its host; of each worker, over all runs. */
export interface Limits {
  captureSlots: number;
  /** Absent: no limit of its own. */
  serverSlots?: number;
  copySlots: number;
  /** Of all copies to one destination together. Absent: no limit. */
  maxBytesPerSecond?: number;
}

export interface WrittenPriority {
  nice?: number | undefined;
  ionice?: string | undefined;
}

/** As the keys may stand in the file. */
export interface WrittenLimits {
  max_parallel?: number | undefined;
  capture_slots?: number | undefined;
  server_slots?: number | undefined;
  copy_slots?: number | undefined;
  max_bandwidth?: number | undefined;
}

/** Cheap where the host has time to spare, and where it has not a third of what others get: the backup still comes to its end. */
const DEFAULT_NICE = 5;
export const DEFAULT_MAX_PARALLEL = 4;
const DEFAULT_COPY_SLOTS = 4;
const MOST_SLOTS = 50;
const IONICE = /^(?:idle|best-effort ([0-7]))$/;

export const limitKeys = {
  capture_slots: wholeNumber({
    lowest: 1,
    highest: MOST_SLOTS,
    description:
      'How many captures go on at once on a host, over all runs; others wait for one to end. As many verifications may go on beside them.',
    default: '(that of `max_parallel`)',
    example: 2,
  }).optional(),
  server_slots: wholeNumber({
    lowest: 1,
    highest: MOST_SLOTS,
    description:
      'How many dumps are taken at once from one database server (its `host` and `port` as they are written), over all runs of a host.',
    default: '(no limit but `capture_slots`)',
    example: 1,
  }).optional(),
  copy_slots: wholeNumber({
    lowest: 1,
    highest: MOST_SLOTS,
    description: 'How many copies go to one destination at once from a host, over all runs.',
    default: DEFAULT_COPY_SLOTS,
    example: 1,
  }).optional(),
  max_bandwidth: bandwidth({
    description:
      'How many bytes per second all copies of a host together send to one destination. Downloads, of restores and verifications, are not limited.',
    default: '(no limit)',
    example: '10MB',
  }).optional(),
  nice: wholeNumber({
    lowest: 0,
    highest: 19,
    description:
      'How far the programs of captures stand back for others when processors are short: 0 not at all, 19 as far as can be. Not the database server, which reads for a dump by a process of its own.',
    default: DEFAULT_NICE,
    example: 10,
  }).optional(),
  ionice: line(
    {
      description:
        'How far they stand back at the disk: `idle`, or `best-effort` with a level from 0 to 7, the last in turn; for disks with the scheduler BFQ.',
      expects: 'idle, or best-effort 0 to best-effort 7',
      default: '(as the system has it)',
      example: 'best-effort 7',
    },
    (value) => IONICE.test(value),
  ).optional(),
};

export function priorityOf({ nice = DEFAULT_NICE, ionice }: WrittenPriority): Priority {
  if (ionice === undefined) return { nice };
  return { nice, ionice: ionice === 'idle' ? ionice : Number(IONICE.exec(ionice)?.[1]) };
}

export function ioniceText(ionice: NonNullable<Priority['ionice']>): string {
  return ionice === 'idle' ? ionice : `best-effort ${String(ionice)}`;
}

export function limitsOf(written: WrittenLimits): Limits {
  return {
    captureSlots: written.capture_slots ?? written.max_parallel ?? DEFAULT_MAX_PARALLEL,
    ...(written.server_slots !== undefined && { serverSlots: written.server_slots }),
    copySlots: written.copy_slots ?? DEFAULT_COPY_SLOTS,
    ...(written.max_bandwidth ? { maxBytesPerSecond: written.max_bandwidth } : {}), // 0 is none
  };
}
