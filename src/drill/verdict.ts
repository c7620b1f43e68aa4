import type { DrillResult } from '../domain/verification.js';

/** Why there is nothing to be said about an artifact: what is needed to check it is not here. */
export class Unverifiable extends Error {}

/** Why an artifact does not restore to what it was made from. */
export class DrillFailed extends Error {}

/** The result that an error stands for. What is no verdict, but the drill's own trouble, is thrown again. */
export function asVerdict(error: unknown, notes: string[] = []): DrillResult {
  if (error instanceof Unverifiable) return { outcome: 'unverified', reason: error.message, notes };
  if (error instanceof DrillFailed) return { outcome: 'failed', reason: error.message, notes };
  throw error;
}

const TOLD = 10;

/** The first of them, and how many more there are. */
export function few(texts: readonly string[]): string[] {
  const more = texts.length - TOLD;
  return more > 0 ? [...texts.slice(0, TOLD), `and ${String(more)} more`] : [...texts];
}
