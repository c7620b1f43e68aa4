import { expect, test } from 'vitest';
import { isReached, median, ratioOf, type Row } from '../bench/row.js';
import { jsonOf, tableOf } from '../bench/table.js';

const ROW: Row = {
  what: 'database | gzip',
  samples: [3, 1, 2],
  unit: 's',
  reference: { name: 'by hand', samples: [4, 4, 5] },
  goal: { of: 'ratio', is: 'at most', value: 0.45 },
};

test('the median of an even number of samples lies between the two in the middle', () => {
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test('what was not measured has no median', () => {
  expect(() => median([])).toThrow('nothing was measured');
  expect(() => median([1, NaN])).toThrow('nothing was measured');
});

test('a ratio is one of medians, and is held against the goal', () => {
  expect(ratioOf(ROW)).toBe(0.5);
  expect(isReached(ROW)).toBe(false);
  expect(isReached({ ...ROW, goal: { of: 'ratio', is: 'at least', value: 0.45 } })).toBe(true);
  expect(isReached({ ...ROW, goal: { of: 'median', is: 'at most', value: 2 } })).toBe(true);
});

test('a reference that is missing is named, and nothing is said of the goal', () => {
  const row: Row = { ...ROW, reference: { name: 'restic', samples: 'missing' } };
  expect(isReached(row)).toBeUndefined();
  expect(tableOf([row])).toContain('restic: not installed here');
});

test('what cannot be measured here is named as that', () => {
  const row: Row = { ...ROW, samples: 'missing' };
  expect(isReached(row)).toBeUndefined();
  expect(tableOf([row])).toContain(
    '| database \\| gzip | not installed here | by hand: 4.00 s (4.00 to 5.00) |       | ≤ 0.45   |         |',
  );
  expect(jsonOf([row])).toEqual([{ ...row, median: undefined, ratio: undefined, reached: undefined }]);
});

test('the table shows medians, ranges, ratio and goal', () => {
  expect(tableOf([ROW])).toContain(
    '| database \\| gzip | 2.00 s (1.00 to 3.00) | by hand: 4.00 s (4.00 to 5.00) | 0.50  | ≤ 0.45   | **no**  |',
  );
});
