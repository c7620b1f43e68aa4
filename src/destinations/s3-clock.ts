import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { S3Bucket, type S3BucketInput } from './s3-bucket.js';

/**
 * How far this host's clock is ahead of the store's, in milliseconds, to about a second; undefined where the store's
 * answers carry no date. A refusal is an answer too.
 */
export async function clockAheadMs(input: S3BucketInput, signal: AbortSignal): Promise<number | undefined> {
  const bucket = new S3Bucket({ ...input, maxAttempts: 1 });
  let aheadMs: number | undefined;
  bucket.client.middlewareStack.add(
    (next) => async (args) => {
      const askedAtMs = Date.now();
      const answer = await next(args);
      const halfwayMs = (askedAtMs + Date.now()) / 2;
      const storeMs = Date.parse(dateOf(answer.response) ?? '');
      if (!Number.isNaN(storeMs)) aheadMs = halfwayMs - (storeMs + HALF_SECOND_MS);
      return answer;
    },
    { step: 'deserialize', priority: 'low' }, // sees the answer before it is turned into an error
  );
  try {
    await bucket.naming(`ask ${bucket.location}`, () =>
      bucket.client.send(new HeadBucketCommand({ Bucket: bucket.name }), { abortSignal: signal }),
    );
  } catch (error) {
    if (aheadMs === undefined) throw error;
  } finally {
    bucket.client.destroy();
  }
  return aheadMs;
}

/** The header tells whole seconds: on average half of one has passed since. */
const HALF_SECOND_MS = 500;

function dateOf(response: unknown): string | undefined {
  const { headers } = response as { headers?: Record<string, string> };
  return headers?.['date'];
}
