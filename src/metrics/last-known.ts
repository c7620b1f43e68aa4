import { sharedAnswer } from './shared-answer.js';

export interface LastKnownOptions {
  /** How long who asks waits for a new value. */
  patienceMs: number;
  /** How long a value counts as new. Default: 0. */
  freshMs?: number;
}

export interface Known<T> {
  /** Undefined where it never came. */
  value: T | undefined;
  /** Whether it is new. */
  isUp: boolean;
}

/** Asks a source that may fail or hang, and gives the last value where it does; one question is under way at most. */
export function lastKnown<T>(
  ask: () => Promise<T>,
  { patienceMs, freshMs = 0 }: LastKnownOptions,
): () => Promise<Known<T>> {
  let value: T | undefined;
  let knownAtMs = -Infinity;
  const renew = sharedAnswer(async () => {
    value = await ask();
    knownAtMs = Date.now();
  });
  return async () => {
    if (Date.now() - knownAtMs < freshMs) return { value, isUp: true };
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<false>((resolve) => (timer = setTimeout(resolve, patienceMs, false)));
    const isUp = await Promise.race([
      renew().then(
        () => true,
        () => false,
      ),
      patience,
    ]);
    clearTimeout(timer);
    return { value, isUp };
  };
}
