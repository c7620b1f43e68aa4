import { describe, expect, it } from 'vitest';
import { TransferRates } from '../../src/commands/transfer-rates.js';
import type { AttemptProgress } from '../../src/domain/heartbeat.js';

const aProgress = (bytesDone: number, atMs: number, changes: Partial<AttemptProgress> = {}): AttemptProgress => ({
  ...{ attempt: 1, bytesDone, atMs, ...changes },
});

describe('the rate of a transfer', () => {
  it('is that between two heartbeats by the clock of the worker, and stays between them', () => {
    const rates = new TransferRates();
    const rateAt = (nowMs: number, progress: AttemptProgress) => rates.rateOf('mordor', progress, nowMs);
    expect(rateAt(0, aProgress(0, 1_000_000))).toBeUndefined();
    expect(rateAt(6_000, aProgress(10_000, 1_005_000))).toBe(2_000);
    expect(rateAt(7_000, aProgress(10_000, 1_005_000))).toBe(2_000);
    expect(rateAt(11_000, aProgress(10_000, 1_010_000))).toBe(0);
  });

  it('is not known where no heartbeat came for long', () => {
    const rates = new TransferRates();
    rates.rateOf('mordor', aProgress(0, 0), 0);
    rates.rateOf('mordor', aProgress(10, 1), 1);
    expect(rates.rateOf('mordor', aProgress(10, 1), 15_000)).toBe(10_000);
    expect(rates.rateOf('mordor', aProgress(10, 1), 15_002)).toBeUndefined();
  });

  it.each([
    ['another attempt', { attempt: 2 }],
    ['another phase', { isProving: true }],
    ['another destination', { to: 's3' as const }],
    ['fewer bytes', { bytesDone: 5 }],
    ['a clock that went back', { atMs: -5 }],
  ])('is not taken from %s', (_what, changes) => {
    const rates = new TransferRates();
    rates.rateOf('mordor', aProgress(10, 0), 0);
    expect(rates.rateOf('mordor', aProgress(20, 1, changes), 1)).toBeUndefined();
  });

  it('begins anew after a step', () => {
    const rates = new TransferRates();
    rates.rateOf('mordor', aProgress(10, 0), 0);
    rates.rateOf('mordor', undefined, 1);
    expect(rates.rateOf('mordor', aProgress(20, 1), 1)).toBeUndefined();
  });
});
