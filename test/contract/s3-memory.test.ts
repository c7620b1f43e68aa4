import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createS3Destination } from '../../src/destinations/s3.js';
import { Throttle } from '../../src/destinations/throttle.js';
import { digestFile } from '../../src/pipeline/digest.js';
import { writeNoise } from '../support/noise-file.js';
import { s3Place, transfer, useProvidedS3 } from '../support/s3-place.js';
import { waitFor } from '../support/wait-for.js';

const MIB = 1024 * 1024;
const PATH = '20261124_030000/mordor_20261124_030000.sql.gz';

/** Lets each piece go when the test says so. */
class HeldThrottle extends Throttle {
  heldCount = 0;

  constructor(private readonly hold: (signal: AbortSignal) => Promise<void>) {
    super();
  }

  override async pass(_bytes: number, signal: AbortSignal): Promise<void> {
    this.heldCount += 1;
    await this.hold(signal);
  }
}

let scratch: string;

beforeAll(async () => {
  await useProvidedS3();
  scratch = await mkdtemp(join(tmpdir(), 's3-memory-'));
});
afterAll(() => rm(scratch, { recursive: true }));

test('holds little of a file in memory, however large the parts that are under way', async () => {
  const from = join(scratch, 'large');
  await writeNoise(from, 1);
  await truncate(from, 4 * 32 * MIB);
  const facts = await digestFile(from);
  const throttle = new HeldThrottle(untilAborted);
  const place = s3Place({ endpoint: inject('s3').endpoint, partSizeBytes: 32 * MIB, throttle });
  const controller = new AbortController();
  const before = process.memoryUsage().arrayBuffers;
  const ended = createS3Destination(place).putFile(PATH, from, facts, { ...transfer(), signal: controller.signal });
  ended.catch(() => undefined);
  await waitFor('four parts to be under way', () => throttle.heldCount === 4);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB);
  controller.abort();
  await expect(ended).rejects.toMatchObject({ code: 'Cancelled' });
});

test('fails at once where the file gets shorter while it goes out', async () => {
  const from = join(scratch, 'shorter');
  const facts = await writeNoise(from, 3 * MIB);
  const throttle = new HeldThrottle(() => truncate(from, 1));
  const place = s3Place({ endpoint: inject('s3').endpoint, throttle });
  const ended = createS3Destination(place).putFile(PATH, from, facts, transfer());
  await expect(ended).rejects.toMatchObject({ code: 'Damaged' });
  expect(throttle.heldCount).toBe(1);
});

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}
