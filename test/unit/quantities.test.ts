import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration } from '../../src/domain/quantities.js';

describe('a duration', () => {
  it('is rounded before it is taken apart, so that no unit is full', () => {
    const shown = [840, 59_940, 59_960, 65_400, 119_499, 119_500, 3_599_499, 3_599_500, 7_500_000].map(formatDuration);
    expect(shown).toEqual([
      ...['0.8 s', '59.9 s', '1 min 0 s', '1 min 5 s', '1 min 59 s', '2 min 0 s'],
      ...['59 min 59 s', '1 h 0 min', '2 h 5 min'],
    ]);
  });
});

describe('a size', () => {
  it('is in the largest unit of which there is one', () => {
    expect([0, 1023, 1024, 1.4 * 1024 ** 2, 3 * 1024 ** 5].map(formatBytes)).toEqual([
      ...['0 B', '1023 B', '1.0 KiB', '1.4 MiB', '3072.0 TiB'],
    ]);
  });
});
