import { expect, onTestFinished, test } from 'vitest';
import { placeCopy } from '../support/damages.js';
import { seededSample } from '../support/seeded-sample.js';

/** All of them are in test/long: `npm run test:long`. */
const SAMPLE = 150;

test('verify finds any flipped bit and any cut, of an artifact and of its manifest', async () => {
  const copy = await placeCopy();
  onTestFinished(() => copy.remove());
  expect(await copy.outcomesOf()).toEqual(['verified']);
  for (const file of ['artifact', 'manifest'] as const) {
    const damages = copy.damages.filter((damage) => damage.file === file);
    for (const damage of seededSample(`damages to the ${file}`, damages, SAMPLE)) {
      expect({ damage, outcomes: await copy.outcomesOf(damage) }).toEqual({ damage, outcomes: ['failed'] });
    }
  }
  expect(await copy.outcomesOf()).toEqual(['verified']);
});
