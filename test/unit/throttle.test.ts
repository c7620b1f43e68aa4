import { describe, expect, it } from 'vitest';
import { Throttle } from '../../src/destinations/throttle.js';
import { OwnClock } from '../support/own-clock.js';

const { signal } = new AbortController();
/** What late timers may catch up with. */
const LATE_MS = 100;

function throttled(bytesPerSecond: number | undefined) {
  const clock = new OwnClock();
  const throttle = new Throttle(clock);
  throttle.bytesPerSecond = bytesPerSecond;
  const send = async (pieces: number, bytes: number) => {
    for (let sent = 0; sent < pieces; sent++) await throttle.pass(bytes, signal);
  };
  return { clock, throttle, send };
}

describe('a throttle', () => {
  it('lets so many bytes pass in a second, of all that go through it together', async () => {
    const { clock, send } = throttled(1_000_000);
    await Promise.all([send(100, 10_000), send(50, 20_000), send(1, 1_000_000)]);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(3_000 - LATE_MS);
    expect(clock.nowMs()).toBeLessThanOrEqual(3_000);
  });

  it('gives back none of the time in which nothing was sent', async () => {
    const { clock, send } = throttled(1_000_000);
    await send(1, 1_000_000);
    clock.pass(60_000);
    const beforeMs = clock.nowMs();
    await send(10, 100_000);
    expect(clock.nowMs() - beforeMs).toBeGreaterThanOrEqual(1_000 - LATE_MS);
  });

  it('keeps bytes moving in small pieces, however low the rate is', () => {
    expect(throttled(10_000).throttle.pieceBytes).toBe(500);
    expect(throttled(1_000_000_000).throttle.pieceBytes).toBe(256 * 1024);
  });

  it('takes another rate, or none, at once', async () => {
    const { clock, throttle, send } = throttled(1_000);
    await send(1, 1_000);
    throttle.bytesPerSecond = 1_000_000;
    await send(1, 1_000_000);
    expect(clock.nowMs()).toBeLessThanOrEqual(2_000);
    throttle.bytesPerSecond = undefined;
    await send(1, 1_000_000_000);
    expect(clock.nowMs()).toBeLessThanOrEqual(2_000);
  });

  it('ends a wait when its transfer is ended', async () => {
    const throttle = new Throttle();
    throttle.bytesPerSecond = 1;
    const ending = new AbortController();
    const waiting = throttle.pass(1_000, ending.signal);
    ending.abort();
    await expect(waiting).rejects.toThrow();
  });
});
