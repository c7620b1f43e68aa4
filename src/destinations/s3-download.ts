import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { S3Bucket } from './s3-bucket.js';

/** How often in a row a download may break off without a byte in between. */
const MAX_FRUITLESS = 5;

export interface ReadObjectInput {
  bucket: S3Bucket;
  key: string;
  signal?: AbortSignal;
}

/** The bytes of an object, all of them or an error. A connection that breaks is taken up where it broke, on the same object only. */
export async function* readObject({ bucket, key, signal }: ReadObjectInput): AsyncGenerator<Uint8Array> {
  let offset = 0;
  let fruitless = 0;
  let first: { etag: string | undefined; sizeBytes: number | undefined } | undefined;
  for (;;) {
    const rest = first === undefined ? {} : { Range: `bytes=${offset}-`, IfMatch: first.etag };
    const command = new GetObjectCommand({ Bucket: bucket.name, Key: key, ...rest });
    const answer = await bucket.client.send(command, signal && { abortSignal: signal });
    if (first !== undefined && answer.ContentRange?.startsWith(`bytes ${offset}-`) !== true) {
      throw new Error('the store does not send parts of an object');
    }
    first ??= { etag: answer.ETag, sizeBytes: answer.ContentLength };
    try {
      for await (const chunk of answer.Body as AsyncIterable<Uint8Array>) {
        offset += chunk.byteLength;
        fruitless = 0;
        yield chunk;
      }
      if (first.sizeBytes === undefined || offset === first.sizeBytes) return;
      throw new Error(`the store sent ${offset} of ${first.sizeBytes} bytes`);
    } catch (error) {
      fruitless += 1;
      if (signal?.aborted === true || fruitless === MAX_FRUITLESS) throw error;
    }
  }
}
