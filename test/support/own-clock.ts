import type { Clock } from '../../src/destinations/throttle.js';

/** A clock on which time passes only while somebody sleeps, and then at once. */
export class OwnClock implements Clock {
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const untilMs = this.#nowMs + ms;
    await new Promise((resolve) => setImmediate(resolve));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** As when nobody has anything to send. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }
}
