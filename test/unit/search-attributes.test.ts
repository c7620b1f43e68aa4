import { describe, expect, it } from 'vitest';
import { fittingNames } from '../../src/domain/search-attributes.js';

const named = (count: number) => Array.from({ length: count }, (_, i) => `t${String(i)}`);

describe('names in a search attribute', () => {
  it('are those that fit into 2,000 bytes, from the first on', () => {
    expect(fittingNames([])).toEqual([]);
    expect(fittingNames(named(10))).toEqual(named(10));
    const long = named(100).map((name) => name.padEnd(63, 'x'));
    const fitting = fittingNames(long);
    expect(fitting).toEqual(long.slice(0, fitting.length));
    expect(JSON.stringify(fitting).length).toBeLessThanOrEqual(2_000);
    expect(JSON.stringify(long.slice(0, fitting.length + 1)).length).toBeGreaterThan(1_990);
  });
});
