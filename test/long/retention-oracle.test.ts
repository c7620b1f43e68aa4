import { expect, it } from 'vitest';
import { compareWithOracle } from '../support/retention-states.js';

const STATES = 1_000_000;

it('retention decides as its rules say in a million random states', () => {
  expect(compareWithOracle(STATES).removed).toBeGreaterThan(STATES / 10);
});
