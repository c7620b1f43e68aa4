import { expect } from 'vitest';
import { mapBounded } from '../../src/bounded.js';

/** Each has a worker or two: as many as two processors bear. */
const AT_ONCE = 3;

/** Goes through all steps, and fails at the end with every step at which `work` failed. */
export async function atEach<Step extends { text: string }>(
  steps: readonly Step[],
  work: (step: Step) => Promise<void>,
): Promise<void> {
  expect(steps.length).toBeGreaterThan(5);
  const failures = await mapBounded(steps, AT_ONCE, async (step) => {
    try {
      await work(step);
      console.log(`survived: ${step.text}`);
      return '';
    } catch (error) {
      return `at "${step.text}": ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
    }
  });
  expect(failures.join('')).toBe('');
}
