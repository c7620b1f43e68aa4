import { expect, it } from 'vitest';
import { compareWithOracle } from '../support/retention-states.js';

const STATES = 10_000; // test/long takes a million

it(`retention decides as its rules say, artifact by artifact, with the same reasons (${STATES} random states)`, () => {
  const { removed, halted, heldBy } = compareWithOracle(STATES);
  expect(removed).toBeGreaterThan(STATES / 10);
  expect(halted).toBeGreaterThan(0);
  const rules = ['daily', 'weekly', 'monthly', 'yearly', 'younger', 'pinned', 'without', 'the', '1', '6'];
  expect(Object.keys(heldBy)).toEqual(expect.arrayContaining(rules));
});
