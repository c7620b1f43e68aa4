import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { hexOf } from './content-digest.js';
import type { FileFacts, TransferOptions } from './destination.js';
import { naming } from './local-errors.js';
import { crc32ToBase64, type S3Bucket } from './s3-bucket.js';
import { sendInPieces, type SendInPiecesInput } from './s3-body.js';
import { readParts, type LocalPart } from './s3-parts.js';
import { PartsProgress } from './s3-parts-progress.js';
import type { Throttle } from './throttle.js';
import { listParts, listUploadsOf, type OpenUpload, type StoredPart } from './s3-uploads.js';

const PARTS_AT_ONCE = 4;
/** Below so much for each, several parts at once gain nothing, and more is lost where the worker dies. */
const BYTES_PER_SECOND_OF_PART = 4_000_000;

export interface UploadInput {
  bucket: S3Bucket;
  key: string;
  /** Local file. */
  from: string;
  facts: FileFacts;
  partSizeBytes: number;
  options: TransferOptions;
}

/** Puts a file where nothing is: in one request, or in parts. Rejects with the store's own answer, `PreconditionFailed` for a taken key. */
export async function uploadFile(input: UploadInput): Promise<void> {
  const { from, facts, partSizeBytes } = input;
  const file = await naming(`read ${from}`, () => open(from, 'r'));
  try {
    const parts = readParts({ file, path: from, facts, partSizeBytes });
    if (facts.sizeBytes <= partSizeBytes) await putWhole(input, parts);
    else await putInParts(input, parts);
  } finally {
    await file.close();
  }
}

async function putWhole({ bucket, key, facts, options }: UploadInput, parts: AsyncGenerator<LocalPart>): Promise<void> {
  let body: Buffer = Buffer.alloc(0);
  for await (const { bytes } of parts) body = bytes;
  const command = new PutObjectCommand({
    Bucket: bucket.name,
    Key: key,
    Body: body,
    IfNoneMatch: '*',
    ChecksumCRC32: crc32ToBase64(facts.crc32),
    Metadata: { sha256: facts.sha256 },
  });
  const { signal, onProgress, onUnderWay = () => undefined } = options;
  sendInPieces(command, { bytes: body, throttle: bucket.throttle, signal, onSent: onUnderWay });
  await bucket.client.send(command, { abortSignal: signal });
  onProgress(facts.sizeBytes);
}

async function putInParts(input: UploadInput, parts: AsyncGenerator<LocalPart>): Promise<void> {
  const { bucket, key, facts, options } = input;
  const [newest] = await listUploadsOf(bucket, key, options.signal);
  const upload = newest ?? (await createUpload(input));
  const there = newest === undefined ? new Map<number, StoredPart>() : await listParts(bucket, newest, options.signal);
  const completed = await putParts(input, { upload, there, parts });
  const command = new CompleteMultipartUploadCommand({
    Bucket: bucket.name,
    Key: key,
    UploadId: upload.id,
    IfNoneMatch: '*',
    ChecksumCRC32: crc32ToBase64(facts.crc32),
    ChecksumType: 'FULL_OBJECT',
    MpuObjectSize: facts.sizeBytes,
    MultipartUpload: { Parts: completed },
  });
  await bucket.client.send(command, { abortSignal: options.signal });
}

async function createUpload({ bucket, key, facts, options }: UploadInput): Promise<OpenUpload> {
  const command = new CreateMultipartUploadCommand({
    Bucket: bucket.name,
    Key: key,
    ChecksumAlgorithm: 'CRC32',
    ChecksumType: 'FULL_OBJECT', // asked for here or never: without it, no checksum of the whole object is kept
    Metadata: { sha256: facts.sha256 },
  });
  const { UploadId: id } = await bucket.client.send(command, { abortSignal: options.signal });
  if (id === undefined) throw new Error('the store began an upload without an id');
  return { key, id, startedAt: new Date() };
}

interface PartsInput {
  upload: OpenUpload;
  /** What an earlier attempt brought. */
  there: ReadonlyMap<number, StoredPart>;
  parts: AsyncGenerator<LocalPart>;
}

async function putParts(input: UploadInput, { upload, there, parts }: PartsInput): Promise<CompletedPart[]> {
  const { signal } = input.options;
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const completed: CompletedPart[] = [];
  const progress = new PartsProgress(input.options);
  const work = async () => {
    for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
      either.throwIfAborted();
      const { number, bytes } = next.value;
      const onSent = (sent: number) => progress.sent(number, sent);
      const etag =
        etagOfSame(there.get(number), bytes) ??
        (await putPart(input.bucket, upload, { ...next.value, signal: either, onSent }));
      completed.push({ PartNumber: number, ETag: etag, ChecksumCRC32: crc32Of(bytes) });
      progress.done(number, bytes.length);
    }
  };
  const stopOthers = (error: unknown) => {
    failure.abort(error); // only the first one's error becomes the reason
  };
  await Promise.all(Array.from({ length: partsAtOnce(input.bucket.throttle) }, () => work().catch(stopOthers)));
  either.throwIfAborted();
  return completed.sort((one, other) => (one.PartNumber ?? 0) - (other.PartNumber ?? 0));
}

function partsAtOnce({ bytesPerSecond = Infinity }: Throttle): number {
  return Math.min(PARTS_AT_ONCE, Math.ceil(bytesPerSecond / BYTES_PER_SECOND_OF_PART));
}

function etagOfSame(part: StoredPart | undefined, bytes: Buffer): string | undefined {
  if (part?.sizeBytes !== bytes.length) return undefined;
  return createHash('md5').update(bytes).digest('hex') === part.etag ? part.etag : undefined;
}

async function putPart(
  bucket: S3Bucket,
  upload: OpenUpload,
  { number, bytes, signal, onSent }: LocalPart & Pick<SendInPiecesInput, 'signal' | 'onSent'>,
): Promise<string | undefined> {
  const command = new UploadPartCommand({
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.id,
    PartNumber: number,
    Body: bytes,
    ChecksumCRC32: crc32Of(bytes),
  });
  sendInPieces(command, { bytes, throttle: bucket.throttle, signal, onSent });
  return (await bucket.client.send(command, { abortSignal: signal })).ETag;
}

function crc32Of(bytes: Buffer): string {
  return crc32ToBase64(hexOf(crc32(bytes)));
}
