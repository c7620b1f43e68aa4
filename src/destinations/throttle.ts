import { setTimeout as sleep } from 'node:timers/promises';

/** What tells the time, and lets it pass; a test has one of its own. */
export interface Clock {
  nowMs(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const REAL_CLOCK: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/** Timers come late by a little: so much may be caught up with. */
const LATE_MS = 100;
/** A piece takes this part of a second, so that bytes keep moving in each of the transfers that share the rate. */
const PIECES_A_SECOND = 20;
const MAX_PIECE_BYTES = 256 * 1024;

/** Holds all who send through it to one rate together, in the order in which they ask. */
export class Throttle {
  /** Undefined: no limit. May change at any time. */
  bytesPerSecond: number | undefined;
  #freeAtMs = -Infinity;

  constructor(private readonly clock: Clock = REAL_CLOCK) {}

  /** How much to ask for at once. */
  get pieceBytes(): number {
    const { bytesPerSecond: rate } = this;
    return rate === undefined ? MAX_PIECE_BYTES : Math.min(MAX_PIECE_BYTES, Math.ceil(rate / PIECES_A_SECOND));
  }

  /** Resolves when so many more bytes may go. Rejects when `signal` aborts. */
  async pass(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.bytesPerSecond === undefined) return;
    const nowMs = this.clock.nowMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - LATE_MS) + (1000 * bytes) / this.bytesPerSecond;
    if (this.#freeAtMs > nowMs) await this.clock.sleep(this.#freeAtMs - nowMs, signal);
  }
}
