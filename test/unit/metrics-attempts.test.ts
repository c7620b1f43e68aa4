import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { HostActivities } from '../../src/activities/host.js';
import { WORKER_SHUTDOWN } from '../../src/domain/task-queues.js';
import { Attempts } from '../../src/metrics/attempts.js';

/** One attempt at a capture of mordor that ends so. */
async function afterAttempt(capture: () => Promise<unknown>) {
  const attempts = new Attempts();
  const activities = { captureTarget: capture } as unknown as HostActivities;
  const input = { target: { name: 'mordor' } } as Parameters<HostActivities['captureTarget']>[0];
  await attempts
    .counting(activities)
    .captureTarget(input)
    .catch(() => undefined);
  expect(attempts.runningTargets).toBe(0);
  expect(attempts.failedOf('mordor', 'copy')).toBe(0);
  return { failed: attempts.failedOf('mordor', 'capture'), stalled: attempts.stalledOf('mordor') };
}

describe('attempts', () => {
  it('that failed are counted, and those that stalled among them', async () => {
    const failed = () => Promise.reject(ApplicationFailure.create({ type: 'ServerUnreachable' }));
    const stalled = () => Promise.reject(ApplicationFailure.create({ type: 'Stalled' }));
    expect(await afterAttempt(failed)).toEqual({ failed: 1, stalled: 0 });
    expect(await afterAttempt(stalled)).toEqual({ failed: 1, stalled: 1 });
  });

  it('that succeeded, were cancelled or handed to another worker are not', async () => {
    const handedOver = () => Promise.reject(ApplicationFailure.create({ type: WORKER_SHUTDOWN }));
    for (const end of [() => Promise.resolve(), () => Promise.reject(new CancelledFailure('cancelled')), handedOver]) {
      expect(await afterAttempt(end)).toEqual({ failed: 0, stalled: 0 });
    }
  });
});
