import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import type { FileFacts } from '../../src/destinations/destination.js';
import { createS3Destination, type S3DestinationInput } from '../../src/destinations/s3.js';
import { writeNoise } from '../support/noise-file.js';
import { openUploads, s3Place, transfer, useProvidedS3, withClient } from '../support/s3-place.js';
import {
  acceptedParts,
  isAbort,
  isBegin,
  isComplete,
  isPart,
  partNumber,
  S3Proxy,
  sentParts,
} from '../support/s3-proxy.js';
import { waitFor } from '../support/wait-for.js';

const PART_BYTES = 5 * 1024 * 1024;
const PART_COUNT = 7;
const PATH = '20261124_030000/mordor_20261124_030000.sql.gz';
const ALL_PARTS = Array.from({ length: PART_COUNT }, (_, index) => index + 1);

let scratch: string;
let from: string;
let facts: FileFacts;
let proxy: S3Proxy;
let place: S3DestinationInput;

beforeAll(async () => {
  await useProvidedS3();
  scratch = await mkdtemp(join(tmpdir(), 's3-upload-'));
  from = join(scratch, 'artifact');
  facts = await writeNoise(from, (PART_COUNT - 1) * PART_BYTES + 1_000);
});

afterAll(() => rm(scratch, { recursive: true }));

beforeEach(async () => {
  proxy = await new S3Proxy(inject('s3').endpoint).start();
  place = s3Place({ endpoint: proxy.endpoint, partSizeBytes: PART_BYTES, maxAttempts: 1 });
});

afterEach(() => proxy.stop());

const put = () => createS3Destination(place).putFile(PATH, from, facts, transfer());

test('sends each part once, and the store keeps a checksum of the whole', async () => {
  expect(await put()).toBe('checksum');
  expect(sentParts(proxy.requests).sort()).toEqual(ALL_PARTS);
  expect(proxy.requests.filter(isBegin)).toHaveLength(1);
  expect(proxy.requests.filter(isComplete)).toHaveLength(1);
  expect(await openUploads(place)).toBe(0);
});

test('goes on after kill -9 from the parts that are there', async () => {
  proxy.fault = (request) => (isPart(request) && partNumber(request) > 4 ? { kind: 'hold' } : undefined);
  const input = JSON.stringify({ place, path: PATH, from, facts });
  const killed = spawn(process.execPath, ['--import', 'tsx', 'test/fixtures/put-file.ts', input]);
  await waitFor(
    'parts 1 to 4 to be accepted, and others to be under way',
    () => acceptedParts(proxy.requests).length === 4 && proxy.heldCount > 0,
  );
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  proxy.fault = () => undefined;
  const before = proxy.requests.splice(0);

  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    'test/fixtures/put-file.ts',
    input,
  ]);
  expect(stdout).toBe('checksum');
  expect(acceptedParts(before).sort()).toEqual([1, 2, 3, 4]);
  expect(sentParts(proxy.requests).sort()).toEqual([5, 6, 7]);
  expect(proxy.requests.filter(isBegin)).toHaveLength(0);
  expect(await openUploads(place)).toBe(0);
});

test('aborts nothing when it is told to end, and tells of the parts that it finds', async () => {
  proxy.fault = (request) => (isPart(request) && partNumber(request) > 3 ? { kind: 'hold' } : undefined);
  const controller = new AbortController();
  const ended = createS3Destination(place).putFile(PATH, from, facts, { ...transfer(), signal: controller.signal });
  await waitFor('three parts', () => acceptedParts(proxy.requests).length === 3);
  controller.abort();
  await expect(ended).rejects.toMatchObject({ code: 'Cancelled' });
  expect(proxy.requests.filter(isAbort)).toHaveLength(0);
  expect(await openUploads(place)).toBe(1);

  proxy.fault = (request) => (isPart(request) ? { kind: 'cut' } : undefined);
  const told: number[] = [];
  const again = createS3Destination(place).putFile(PATH, from, facts, {
    ...transfer(),
    onProgress: (bytes) => told.push(bytes),
  });
  await expect(again).rejects.toMatchObject({ code: 'ServerUnreachable', retryable: true });
  expect(told.at(-1)).toBe(3 * PART_BYTES);
});

test('sends a part anew whose bytes are not those of the file', async () => {
  const other = join(scratch, 'other');
  const otherFacts = await writeNoise(other, facts.sizeBytes);
  proxy.fault = (request) => (isPart(request) && partNumber(request) > 3 ? { kind: 'hold' } : undefined);
  const controller = new AbortController();
  const options = { ...transfer(), signal: controller.signal };
  const ended = createS3Destination(place).putFile(PATH, other, otherFacts, options);
  await waitFor('three parts', () => acceptedParts(proxy.requests).length === 3);
  controller.abort();
  await expect(ended).rejects.toMatchObject({ code: 'Cancelled' });
  proxy.fault = () => undefined;
  proxy.requests.length = 0;

  // The upload was begun for other bytes and says so: only reading it back tells.
  expect(await put()).toBe('read-back');
  expect(sentParts(proxy.requests).sort()).toEqual(ALL_PARTS);
});

test('begins anew when its upload is gone in the middle', async () => {
  proxy.fault = (request) => (isPart(request) && partNumber(request) === 6 ? { kind: 'hold' } : undefined);
  const uploading = put();
  await waitFor('part 6', () => proxy.heldCount === 1);
  await abortOpenUploads();
  proxy.release();
  expect(await uploading).toBe('checksum');
  expect(proxy.requests.filter(isBegin)).toHaveLength(2);
  expect(await openUploads(place)).toBe(0);
});

test('is content with what another attempt completed meanwhile', async () => {
  proxy.fault = (request) => (isComplete(request) ? { kind: 'hold' } : undefined);
  const sleeping = put();
  await waitFor('the completion', () => proxy.heldCount === 1);
  await createS3Destination({ ...place, endpoint: inject('s3').endpoint }).putFile(PATH, from, facts, transfer());
  const completed = await head();
  proxy.release();
  expect(await sleeping).toBe('checksum');
  expect((await head()).LastModified).toEqual(completed.LastModified);
  expect(await openUploads(place)).toBe(0);
});

test('replaces nothing that took the name meanwhile, with a large file or a small one', async () => {
  const small = join(scratch, 'small');
  const smallFacts = await writeNoise(small, 1_000);
  for (const [file, itsFacts] of [
    [from, facts],
    [small, smallFacts],
  ] as const) {
    place = s3Place({ ...place, prefix: randomUUID() });
    proxy.fault = (request) =>
      isComplete(request) || (request.method === 'PUT' && !isPart(request)) ? { kind: 'hold' } : undefined;
    const sleeping = createS3Destination(place).putFile(PATH, file, itsFacts, transfer());
    sleeping.catch(() => undefined);
    await waitFor('the last request', () => proxy.heldCount === 1);
    await withClient((client) =>
      client.send(new PutObjectCommand({ Bucket: place.bucket, Key: `${place.prefix}/${PATH}`, Body: 'a stranger' })),
    );
    proxy.release();
    await expect(sleeping).rejects.toMatchObject({ code: 'Conflict' });
    expect((await head()).ContentLength).toBe('a stranger'.length);
  }
});

test('leaves no upload of another attempt that lost the race', async () => {
  proxy.fault = (request) => (isPart(request) ? { kind: 'hold' } : undefined);
  const slow = put();
  await waitFor('its parts', () => proxy.heldCount === 4);
  await withClient((client) =>
    client.send(new CreateMultipartUploadCommand({ Bucket: place.bucket, Key: `${place.prefix}/${PATH}` })),
  );
  expect(await openUploads(place)).toBe(2);
  await createS3Destination({ ...place, endpoint: inject('s3').endpoint }).putFile(PATH, from, facts, transfer());
  expect(await openUploads(place)).toBe(0);
  proxy.release();
  expect(await slow).toMatch(/checksum|read-back/);
  expect(await openUploads(place)).toBe(0);
});

test('reads back what a store without checksums keeps', async () => {
  proxy.fault = (request) => (request.method === 'HEAD' ? { kind: 'headers', change: dropChecksums } : undefined);
  expect(await put()).toBe('read-back');
  expect(proxy.requests.filter(({ method }) => method === 'GET').map(({ path }) => path)).toContain(
    `/${place.bucket}/${place.prefix}/${PATH}`,
  );
});

test('sees by reading back that a store without checksums keeps other bytes', async () => {
  proxy.fault = (request) => (request.method === 'HEAD' ? { kind: 'headers', change: dropChecksums } : undefined);
  const other = { Bucket: place.bucket, Key: `${place.prefix}/${PATH}`, Body: Buffer.alloc(facts.sizeBytes) };
  await withClient((client) => client.send(new PutObjectCommand(other)));
  await expect(put()).rejects.toMatchObject({ code: 'Conflict' });
});

test('trusts neither another checksum nor another size', async () => {
  for (const change of [
    (headers: Record<string, unknown>) => (headers['x-amz-checksum-crc32'] = 'AAAAAA=='),
    (headers: Record<string, unknown>) => (headers['content-length'] = String(facts.sizeBytes - 1)),
  ]) {
    place = s3Place({ endpoint: proxy.endpoint, partSizeBytes: PART_BYTES, maxAttempts: 1 });
    proxy.fault = (request) => (request.method === 'HEAD' ? { kind: 'headers', change } : undefined);
    await expect(put()).rejects.toMatchObject({ code: 'Damaged' });
  }
});

test('sweeps old uploads of ours only, and aborts one on request', async () => {
  const destination = createS3Destination(place);
  proxy.fault = (request) => (isPart(request) ? { kind: 'cut' } : undefined);
  for (const path of [PATH, '20261124_030000/other.tar.gz']) {
    await expect(destination.putFile(path, from, facts, transfer())).rejects.toThrow();
  }
  const dayMs = 24 * 60 * 60 * 1000;
  const isOurs = (path: string) => path === PATH;
  const tomorrow = new Date(Date.now() + dayMs + 60_000);
  expect(await destination.sweepPuts({ isOurs, olderThanMs: dayMs, now: new Date() })).toBe(0);
  expect(await destination.sweepPuts({ isOurs, olderThanMs: dayMs, now: tomorrow })).toBe(1);
  expect((await listOpen()).map(({ Key }) => Key)).toEqual([`${place.prefix}/20261124_030000/other.tar.gz`]);
  await destination.abandonPut('20261124_030000/other.tar.gz');
  expect(await openUploads(place)).toBe(0);
});

const head = () =>
  withClient((client) => client.send(new HeadObjectCommand({ Bucket: place.bucket, Key: `${place.prefix}/${PATH}` })));

const listOpen = () =>
  withClient(
    async (client) =>
      (await client.send(new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix }))).Uploads ??
      [],
  );

async function abortOpenUploads(): Promise<void> {
  for (const { Key, UploadId } of await listOpen()) {
    await withClient((client) => client.send(new AbortMultipartUploadCommand({ Bucket: place.bucket, Key, UploadId })));
  }
}

function dropChecksums(headers: Record<string, unknown>): void {
  for (const name of Object.keys(headers)) if (name.startsWith('x-amz-checksum')) delete headers[name];
}
