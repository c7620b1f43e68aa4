import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto'; // CommonJS without named exports

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;
const [deflated, inflated] = [promisify(deflate), promisify(inflate)];

/** Smaller ones stay as they are, for people to read in the Web UI. A server refuses what is over 2 MiB, and warns from half a MiB on. */
const SMALLEST_BYTES = 256 * 1024;
/** The form is that of the Go SDK's own codec, which codec servers know. */
const ENCODING = 'binary/zlib';

/** Makes what thousands of targets say of themselves (a plan, a report) small enough for the server: to a tenth or less. */
export const largePayloads: PayloadCodec = {
  encode: (payloads) => Promise.all(payloads.map(compress)),
  decode: (payloads) => Promise.all(payloads.map(decompress)),
};

/** Of every client and worker of ours: each has to read what another wrote. */
export const DATA_CONVERTER: DataConverter = { payloadCodecs: [largePayloads] };

async function compress(payload: Payload): Promise<Payload> {
  if ((payload.data?.length ?? 0) < SMALLEST_BYTES) return payload;
  const data = await deflated(PayloadMessage.encode(payload).finish());
  return { metadata: { encoding: Buffer.from(ENCODING) }, data };
}

async function decompress(payload: Payload): Promise<Payload> {
  const encoding = payload.metadata?.['encoding'];
  if (encoding === undefined || Buffer.from(encoding).toString() !== ENCODING) return payload;
  const { metadata, data } = PayloadMessage.decode(await inflated(payload.data ?? new Uint8Array()));
  return { metadata, data };
}
