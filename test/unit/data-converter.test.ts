import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { largePayloads } from '../../src/temporal/data-converter.js';

const plan = (count: number) => ({
  targets: Array.from({ length: count }, (_, i) => ({ name: `customer-${String(i)}` })),
});

describe('payloads', () => {
  it('stay readable where they are small', async () => {
    const small = defaultPayloadConverter.toPayload(plan(10));
    expect(await largePayloads.encode([small])).toEqual([small]);
    expect(await largePayloads.decode([small])).toEqual([small]);
  });

  it('that are large are compressed, and come back as they were', async () => {
    const [small, large] = [
      defaultPayloadConverter.toPayload(plan(10)),
      defaultPayloadConverter.toPayload(plan(100_000)),
    ];
    const encoded = await largePayloads.encode([small, large]);
    expect(encoded[1]?.data?.length).toBeLessThan((large.data?.length ?? 0) / 5);
    const decoded = await largePayloads.decode(encoded);
    expect(decoded.map((each) => defaultPayloadConverter.fromPayload(each))).toEqual([plan(10), plan(100_000)]);
  });

  it('that are empty, or bytes, pass', async () => {
    const payloads = [{}, defaultPayloadConverter.toPayload(randomBytes(1_000_000))];
    const decoded = await largePayloads.decode(await largePayloads.encode(payloads));
    expect(decoded[0]).toEqual({});
    expect(
      decoded.map((each) =>
        Buffer.from(each.data ?? []).equals(Buffer.from(payloads.at(decoded.indexOf(each))?.data ?? [])),
      ),
    ).toEqual([true, true]);
  });
});
