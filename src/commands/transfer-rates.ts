import type { AttemptProgress } from '../domain/heartbeat.js';

/** Heartbeats come every few seconds; a rate that is older than some of them is no longer true. */
const STALE_MS = 15_000;

interface Known {
  progress: AttemptProgress;
  seenAtMs: number;
  bytesPerSecond?: number;
}

/** How fast bytes move, from what two heartbeats of one attempt told: by the worker's clock, since they are throttled on their way. */
export class TransferRates {
  readonly #known = new Map<string, Known>();

  /** Bytes per second; undefined until two heartbeats told of the same work, and where none came for long. `nowMs`: by this clock. */
  rateOf(key: string, progress: AttemptProgress | undefined, nowMs: number): number | undefined {
    if (progress === undefined) {
      this.#known.delete(key);
      return undefined;
    }
    const known = this.#known.get(key);
    if (known === undefined || known.progress.atMs !== progress.atMs) {
      const rate = known === undefined ? undefined : rateBetween(known.progress, progress);
      this.#known.set(key, { progress, seenAtMs: nowMs, ...(rate !== undefined && { bytesPerSecond: rate }) });
      return rate;
    }
    return nowMs - known.seenAtMs > STALE_MS ? undefined : known.bytesPerSecond;
  }
}

function rateBetween(one: AttemptProgress, other: AttemptProgress): number | undefined {
  const isSameWork = one.attempt === other.attempt && one.isProving === other.isProving && one.to === other.to;
  const ms = other.atMs - one.atMs;
  const bytes = other.bytesDone - one.bytesDone;
  return isSameWork && ms > 0 && bytes >= 0 ? (1000 * bytes) / ms : undefined;
}
