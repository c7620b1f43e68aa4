import { expect, onTestFinished, test } from 'vitest';
import { placeCopy, type Damage } from '../support/damages.js';

const COPIES = 4;

test('verify finds a flipped bit in every byte and a cut at every size, of an artifact of 64 KiB and of its manifest', async () => {
  const copies = await Promise.all(Array.from({ length: COPIES }, placeCopy));
  onTestFinished(() => Promise.all(copies.map((copy) => copy.remove())).then(() => undefined));
  const missed: Damage[] = [];
  let found = 0;
  // Each copy holds other bytes, and takes its share of the positions.
  await Promise.all(
    copies.map(async (copy, share) => {
      for (const damage of copy.damages.filter(({ position }) => position % COPIES === share)) {
        const outcomes = await copy.outcomesOf(damage);
        if (outcomes.length === 1 && outcomes[0] === 'failed') found += 1;
        else missed.push(damage);
      }
    }),
  );
  console.log(`damages: ${String(found)} found, ${String(missed.length)} missed`);
  expect(missed).toEqual([]);
  expect(found).toBeGreaterThanOrEqual(131_072);
});
