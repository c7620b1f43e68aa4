import { bandwidth, wholeNumber } from './schema-leaves.js';

/** What keeps a backup from hurting its host; of each worker, over all runs. */
export interface Limits {
  captureSlots: number;
  /** Absent: no limit of its own. */
  serverSlots?: number;
  copySlots: number;
  /** Of all copies to one destination together. Absent: no limit. */
  maxBytesPerSecond?: number;
}

/** As the keys may stand in the file. */
export interface WrittenLimits {
  max_parallel?: number | undefined;
  capture_slots?: number | undefined;
  server_slots?: number | undefined;
  copy_slots?: number | undefined;
  max_bandwidth?: number | undefined;
}

export const DEFAULT_MAX_PARALLEL = 4;
const DEFAULT_COPY_SLOTS = 4;
const MOST_SLOTS = 50;

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
};

export function limitsOf(written: WrittenLimits): Limits {
  return {
    captureSlots: written.capture_slots ?? written.max_parallel ?? DEFAULT_MAX_PARALLEL,
    ...(written.server_slots !== undefined && { serverSlots: written.server_slots }),
    copySlots: written.copy_slots ?? DEFAULT_COPY_SLOTS,
    ...(written.max_bandwidth ? { maxBytesPerSecond: written.max_bandwidth } : {}), // 0 is none
  };
}
