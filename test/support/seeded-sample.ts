import { randomInt } from 'node:crypto';

/** Takes some items by chance, in their order; the printed seed, given as TEST_SEED, makes it take the same ones again. */
export function seededSample<T>(what: string, items: readonly T[], count: number): T[] {
  const seed = Number(process.env['TEST_SEED'] ?? randomInt(1_000_000));
  console.log(`${what}: ${String(count)} of ${String(items.length)}, TEST_SEED=${String(seed)}`);
  const next = generator(seed);
  const ranked = items.map((item, index) => ({ item, index, rank: next() })).sort((a, b) => a.rank - b.rank);
  return ranked
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ item }) => item);
}

/** Numbers from 0 to 1 (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
