import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { FileFacts, TransferOptions } from '../../src/destinations/destination.js';
import { createS3Destination, type S3Destination } from '../../src/destinations/s3.js';
import { Throttle } from '../../src/destinations/throttle.js';
import { writeNoise } from '../support/noise-file.js';
import { OwnClock } from '../support/own-clock.js';
import { s3Place, transfer, useProvidedS3 } from '../support/s3-place.js';
import { isPart, partNumber, S3Proxy, sentParts } from '../support/s3-proxy.js';

const PART_BYTES = 5 * 1024 * 1024;
const SMALL_BYTES = 1_000_000;
/** What late timers may catch up with. */
const LATE_MS = 100;

let scratch: string;
let large: { from: string; facts: FileFacts };
let small: { from: string; facts: FileFacts };
let proxy: S3Proxy;

beforeAll(async () => {
  await useProvidedS3();
  scratch = await mkdtemp(join(tmpdir(), 's3-throttle-'));
  const write = async (name: string, sizeBytes: number) => {
    const from = join(scratch, name);
    return { from, facts: await writeNoise(from, sizeBytes) };
  };
  large = await write('large', 2 * PART_BYTES + 1_000);
  small = await write('small', SMALL_BYTES);
});
afterAll(() => rm(scratch, { recursive: true }));
beforeEach(async () => {
  proxy = await new S3Proxy(inject('s3').endpoint).start();
});
afterEach(() => proxy.stop());

function destination(throttle = new Throttle()): S3Destination {
  return createS3Destination(
    s3Place({ endpoint: proxy.endpoint, partSizeBytes: PART_BYTES, maxAttempts: 3, throttle }),
  );
}

const put = (place: S3Destination, name: string, { from, facts }: typeof large, told: Partial<TransferOptions> = {}) =>
  place.putFile(`20261124_030000/${name}`, from, facts, { ...transfer(), ...told });

describe('uploads at a rate', () => {
  it('take no less than their bytes take at it, small and large ones together', async () => {
    const clock = new OwnClock();
    const throttle = new Throttle(clock);
    throttle.bytesPerSecond = 1_000_000;
    const place = destination(throttle);
    await Promise.all([put(place, 'a', large), put(place, 'b', small), put(place, 'c', small)]);
    const leastMs = (large.facts.sizeBytes + 2 * SMALL_BYTES) / 1_000 - LATE_MS;
    expect(clock.nowMs()).toBeGreaterThanOrEqual(leastMs);
  });

  it('hold to it by the clock on the wall', async () => {
    const throttle = new Throttle();
    throttle.bytesPerSecond = 1_000_000;
    const startedMs = performance.now();
    expect(await put(destination(throttle), 'a', small)).toBe('checksum');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(SMALL_BYTES / 1_000 - LATE_MS);
  });
});

describe('an upload', () => {
  it('tells of its bytes while a part goes out', async () => {
    const underWay: number[] = [];
    const done: number[] = [];
    const told = {
      onUnderWay: (bytes: number) => underWay.push(bytes),
      onProgress: (bytes: number) => done.push(bytes),
    };
    await put(destination(), 'a', large, told);
    expect(underWay.filter((bytes) => bytes % PART_BYTES !== 0).length).toBeGreaterThan(10);
    expect(done.at(-1)).toBe(large.facts.sizeBytes);
    underWay.length = 0;
    await put(destination(), 'b', small, told);
    expect(underWay.length).toBeGreaterThan(2);
  });

  it('sends a part again that the store could not take, whole, and counts it once', async () => {
    let refusals = 1;
    proxy.fault = (request) => {
      if (!isPart(request) || partNumber(request) !== 2 || refusals-- <= 0) return undefined;
      return { kind: 'answer', status: 503, body: '<Error><Code>SlowDown</Code></Error>' };
    };
    const underWay: number[] = [];
    expect(await put(destination(), 'a', large, { onUnderWay: (bytes) => underWay.push(bytes) })).toBe('checksum');
    expect(sentParts(proxy.requests).sort()).toEqual([1, 2, 2, 3]);
    expect(Math.max(...underWay)).toBeLessThanOrEqual(large.facts.sizeBytes);
  });
});
