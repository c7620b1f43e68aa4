import { DEFAULT_MAX_PARALLEL } from './limits.js';
import { duration, wholeNumber } from './schema-leaves.js';

/** The keys of `backup_config` that say how a run goes. */
export const runKeys = {
  max_parallel: wholeNumber({
    lowest: 1,
    highest: 50,
    description:
      'How many targets of a run are worked on at once on each host; `capture_slots` and the like limit all runs together.',
    default: DEFAULT_MAX_PARALLEL,
    example: 2,
  }).optional(),
  attempts: wholeNumber({
    lowest: 1,
    highest: 1000,
    description: 'How often a step is tried in a run.',
    default: 5,
    example: 3,
  }).optional(),
  retry_delay: duration({
    description: 'The wait before the second attempt at a capture; it doubles with each further one, up to 5 minutes.',
    default: '30s',
    example: '1m',
  }).optional(),
  heartbeat_timeout: duration({
    description: 'After how long without a sign of life a worker counts as dead.',
    default: '60s',
    example: '2m',
  }).optional(),
  stall_timeout: duration({
    description: 'After how long without a byte moved an attempt is ended and tried again.',
    default: '15m',
    example: '1h',
  }).optional(),
  unpolled_timeout: duration({
    description: 'How long a step waits for a worker where nobody polls its task queue.',
    default: '30m',
    example: '10m',
  }).optional(),
  copy_retry_for: duration({
    description: 'How long a copy is tried again while the destination accepts nothing.',
    default: '30m',
    example: '2h',
  }).optional(),
  deadline: duration({
    description: 'The longest that a run may take; what is left then is cancelled and reported.',
    default: '(0.9 of the shortest gap between fires of its schedule, at most 20h; by hand 20h)',
    example: '6h',
  }).optional(),
  timeout: duration({
    description: 'The longest that one attempt to capture a target may take.',
    default: '12h',
    example: '2h',
  }).optional(),
};
