import { describe, expect, it } from 'vitest';
import { partsOf } from '../../src/domain/parts.js';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('the parts of a run', () => {
  it.each([
    [0, 4],
    [1, 4],
    [7, 1],
    [1_001, 4],
    [5_000, 50],
  ])('of %i targets in %i lanes hold each target once, and ten at most', (count, lanes) => {
    const parts = partsOf({ targets: numbers(count), lanes, partSize: 10 });
    expect(parts.flat().sort((one, other) => one - other)).toEqual(numbers(count));
    expect(parts.every(({ length }) => length >= 1 && length <= 10)).toBe(true);
  });

  it('keep neighbours apart', () => {
    const parts = partsOf({ targets: numbers(5_000), lanes: 4, partSize: 10 });
    const distances = parts.flatMap((part) => part.slice(1).map((each, i) => Math.abs(each - (part[i] ?? 0))));
    expect(Math.min(...distances)).toBeGreaterThan(100);
  });

  it('get smaller towards the end, so that lanes end together', () => {
    const sizes = partsOf({ targets: numbers(1_000), lanes: 4, partSize: 10 }).map(({ length }) => length);
    expect(sizes).toEqual([...sizes].sort((one, other) => other - one));
    expect(sizes.slice(-8)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('of one target each are the targets in the order of the file', () => {
    expect(partsOf({ targets: numbers(5), lanes: 2, partSize: 1 })).toEqual([[0], [1], [2], [3], [4]]);
  });
});
