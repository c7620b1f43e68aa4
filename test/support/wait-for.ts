import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitForOptions {
  /** Default: 60000, for busy machines. */
  timeoutMs?: number;
  /** Pause between two looks. Default: 50. */
  intervalMs?: number;
}

/**
 * Polls until `condition` returns something truthy, and returns that.
 * What it throws counts as "not yet"; after `timeoutMs` the error says `what`, and what was thrown or returned last.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: WaitForOptions = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 60_000, intervalMs = 50 } = options;
  const deadline = Date.now() + timeoutMs;
  let last: { thrown?: unknown; value?: unknown };
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      last = { value };
    } catch (error) {
      last = { thrown: error };
    }
    if (Date.now() >= deadline) break;
    await sleep(intervalMs);
  }
  throw new Error(`waited ${String(timeoutMs)} ms for ${what}, in vain: ${describe(last)}`, { cause: last.thrown });
}

function describe({ thrown, value }: { thrown?: unknown; value?: unknown }): string {
  if (thrown !== undefined)
    return `the last look threw ${thrown instanceof Error ? String(thrown) : JSON.stringify(thrown)}`;
  return `the last look returned ${String(value)}`;
}
