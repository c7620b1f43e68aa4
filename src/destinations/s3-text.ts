import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { hexOf } from './content-digest.js';
import { crc32ToBase64, type S3Bucket } from './s3-bucket.js';
import { readObject } from './s3-download.js';
import { isAnswer } from './s3-errors.js';

const MAX_CONFLICTS = 4;

/** `undefined` where there is none. */
export async function readTextObject(bucket: S3Bucket, key: string): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of readObject({ bucket, key })) chunks.push(chunk);
  } catch (error) {
    if (isAnswer(error, 'NoSuchKey')) return undefined;
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Never replaces, if the store knows `If-None-Match`; the caller has looked before, for those that do not. */
export async function createTextObject(bucket: S3Bucket, key: string, text: string): Promise<'created' | 'taken'> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      await bucket.client.send(putText(bucket, key, text, { IfNoneMatch: '*' }));
      return 'created';
    } catch (error) {
      if (isAnswer(error, 'PreconditionFailed')) return 'taken';
      // Another request for this key is under way, and may yet fail.
      if (!isAnswer(error, 'ConditionalRequestConflict') || conflicts === MAX_CONFLICTS) throw error;
    }
  }
}

export async function replaceTextObject(bucket: S3Bucket, key: string, text: string): Promise<void> {
  await bucket.client.send(putText(bucket, key, text, {}));
}

function putText(bucket: S3Bucket, key: string, text: string, condition: { IfNoneMatch?: string }): PutObjectCommand {
  return new PutObjectCommand({
    Bucket: bucket.name,
    Key: key,
    Body: Buffer.from(text), // an empty text would have no length
    ContentType: key.endsWith('.json') ? 'application/json' : 'text/plain; charset=utf-8',
    ChecksumCRC32: crc32ToBase64(hexOf(crc32(text))),
    ...condition,
  });
}
