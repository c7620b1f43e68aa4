import { open, type FileHandle } from 'node:fs/promises';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import type { FileFacts, TransferOptions } from './destination.js';
import { naming } from './local-errors.js';
import { crc32ToBase64, type S3Bucket } from './s3-bucket.js';
import { sendPart, type SendPartInput } from './s3-body.js';
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
    if (facts.sizeBytes <= partSizeBytes) await putWhole(input, file);
    else await putInParts(input, file);
  } finally {
    await file.close();
  }
}

async function putWhole(input: UploadInput, file: FileHandle): Promise<void> {
  const { bucket, key, from, facts, options } = input;
  const range = { file, path: from, offset: 0, sizeBytes: facts.sizeBytes };
  for await (const _ of partsOf(input, file)); // throws where these are not its bytes
  const command = new PutObjectCommand({
    Bucket: bucket.name,
    Key: key,
    ContentLength: facts.sizeBytes,
    IfNoneMatch: '*',
    ChecksumCRC32: crc32ToBase64(facts.crc32),
    Metadata: { sha256: facts.sha256 },
  });
  const { signal, onProgress, onUnderWay: onSent = () => undefined } = options;
  await sendPart({ bucket, command, part: { range, sha256: facts.sha256 }, signal, onSent });
  onProgress(facts.sizeBytes);
}

async function putInParts(input: UploadInput, file: FileHandle): Promise<void> {
  const { bucket, key, facts, options } = input;
  const [newest] = await listUploadsOf(bucket, key, options.signal);
  const upload = newest ?? (await createUpload(input));
  const there = newest === undefined ? new Map<number, StoredPart>() : await listParts(bucket, newest, options.signal);
  const completed = await putParts(input, { file, upload, there });
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
  file: FileHandle;
  upload: OpenUpload;
  /** What an earlier attempt brought. */
  there: ReadonlyMap<number, StoredPart>;
}

async function putParts(input: UploadInput, { file, upload, there }: PartsInput): Promise<CompletedPart[]> {
  const { signal } = input.options;
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const completed: CompletedPart[] = [];
  const progress = new PartsProgress(input.options);
  const parts = partsOf(input, file, there);
  const work = async () => {
    for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
      either.throwIfAborted();
      const { number, range, crc32, md5 } = next.value;
      const onSent = (sent: number) => {
        progress.sent(number, sent);
      };
      // An MD5 was asked for only where a part of this size is there.
      const isThere = md5 !== undefined && md5 === there.get(number)?.etag;
      const etag = isThere ? md5 : await putPart(input.bucket, upload, { part: next.value, signal: either, onSent });
      completed.push({ PartNumber: number, ETag: etag, ChecksumCRC32: crc32ToBase64(crc32) });
      progress.done(number, range.sizeBytes);
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

function partsOf(input: UploadInput, file: FileHandle, there: PartsInput['there'] = new Map()) {
  const { from: path, facts, partSizeBytes } = input;
  const withMd5 = ({ number, range }: Pick<LocalPart, 'number' | 'range'>) =>
    there.get(number)?.sizeBytes === range.sizeBytes;
  return readParts({ file, path, facts, partSizeBytes, withMd5 });
}

async function putPart(
  bucket: S3Bucket,
  upload: OpenUpload,
  input: Pick<SendPartInput, 'signal' | 'onSent'> & { part: LocalPart },
): Promise<string | undefined> {
  const { number, range, crc32 } = input.part;
  const command = new UploadPartCommand({
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.id,
    PartNumber: number,
    ContentLength: range.sizeBytes,
    ChecksumCRC32: crc32ToBase64(crc32),
  });
  return (await sendPart({ ...input, bucket, command })).ETag;
}
