import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { FileFacts } from '../../src/destinations/destination.js';
import { createS3Destination, type S3DestinationInput } from '../../src/destinations/s3.js';
import { BackupError } from '../../src/domain/errors.js';
import { factsOf, writeNoise } from '../support/noise-file.js';
import { openUploads, s3Place, transfer, useProvidedS3, withClient } from '../support/s3-place.js';
import { acceptedParts, isPart, partNumber, S3Proxy, sentParts, type LoggedRequest } from '../support/s3-proxy.js';
import { startS3, type S3Server } from '../support/s3-server.js';
import { waitFor } from '../support/wait-for.js';

const PART_BYTES = 5 * 1024 * 1024;
const PATH = '20261124_030000/mordor_20261124_030000.sql.gz';
/** None of these may be in what a person reads. */
const CANARY = { id: 'AKIACANARY0000000001', secret: 'canary/Secret+Key=1', token: 'canary-session-token' };

let scratch: string;
let from: string;
let facts: FileFacts;
let proxy: S3Proxy;
let place: S3DestinationInput;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  await useProvidedS3();
  environment = { ...process.env };
  scratch = await mkdtemp(join(tmpdir(), 's3-trouble-'));
  from = join(scratch, 'artifact');
  facts = await writeNoise(from, 5 * PART_BYTES + 1_000);
});

afterAll(() => rm(scratch, { recursive: true }));

beforeEach(async () => {
  proxy = await new S3Proxy(inject('s3').endpoint).start();
  place = s3Place({ endpoint: proxy.endpoint, partSizeBytes: PART_BYTES, maxAttempts: 1 });
});

afterEach(async () => {
  process.env = { ...environment };
  await proxy.stop();
});

const put = () => createS3Destination(place).putFile(PATH, from, facts, transfer());
const isDownload = ({ method, path }: LoggedRequest) => method === 'GET' && path.endsWith(PATH);

describe('what a person reads', () => {
  async function errorOf(work: Promise<unknown>): Promise<BackupError> {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BackupError);
    const text = JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as BackupError).cause);
    for (const secret of Object.values(CANARY)) expect(text).not.toContain(secret);
    return error as BackupError;
  }

  test.each([
    ['an unknown key', { AWS_ACCESS_KEY_ID: CANARY.id }, /refused \(InvalidAccessKeyId/],
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: CANARY.secret }, /refused \(SignatureDoesNotMatch/],
  ])('says of %s that it is refused, for every call', async (_what, env, message) => {
    Object.assign(process.env, env);
    for (const call of [
      () => createS3Destination(place).list(),
      () => createS3Destination(place).readText('x'),
      () => createS3Destination(place).createText('x', 'x'),
      () => createS3Destination(place).check(),
    ]) {
      expect(await errorOf(call())).toMatchObject({
        code: 'LoginRefused',
        retryable: false,
        message: expect.stringMatching(message) as string,
        hint: expect.stringContaining('access keys') as string,
      });
    }
    expect(await errorOf(put())).toMatchObject({ code: 'LoginRefused', retryable: false });
  });

  test('says where keys belong when there are none', async () => {
    delete process.env['AWS_ACCESS_KEY_ID'];
    delete process.env['AWS_SECRET_ACCESS_KEY'];
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: join(scratch, 'none'),
      AWS_CONFIG_FILE: join(scratch, 'none'),
    });
    expect(await errorOf(createS3Destination(place).list())).toMatchObject({
      code: 'LoginRefused',
      hint: expect.stringContaining('AWS_ACCESS_KEY_ID') as string,
    });
  });

  test('hides keys that a store repeats', async () => {
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: CANARY.id,
      AWS_SECRET_ACCESS_KEY: CANARY.secret,
      AWS_SESSION_TOKEN: CANARY.token,
    });
    const body = `<Error><Code>AccessDenied</Code><Message>${CANARY.id} with ${CANARY.secret} and ${CANARY.token} may not</Message><AWSAccessKeyId>${CANARY.id}</AWSAccessKeyId></Error>`;
    proxy.fault = () => ({ kind: 'answer', status: 403, body });
    const error = await errorOf(createS3Destination(place).list());
    expect(error.message).toContain('AccessDenied: *** with *** and *** may not');
  });

  test.each([
    [503, 'SlowDown', 'ServerUnreachable', true],
    [500, 'InternalError', 'ServerUnreachable', true],
    [404, 'NoSuchBucket', 'NotFound', false],
    [403, 'RequestTimeTooSkewed', 'LoginRefused', false],
    [403, 'AccessDenied', 'LoginRefused', false],
    [400, 'AuthorizationHeaderMalformed', 'ConfigInvalid', false],
    [400, 'ExpiredToken', 'LoginRefused', false],
    [400, 'InvalidRequest', 'Failed', true],
  ])('makes of status %i %s the code %s', async (status, name, code, retryable) => {
    const body = `<Error><Code>${name}</Code><Message>it says</Message></Error>`;
    proxy.fault = () => ({ kind: 'answer', status, body });
    expect(await errorOf(createS3Destination(place).list())).toMatchObject({ code, retryable });
  });

  test.each([
    [200, '<html><body>Welcome</body>'],
    [200, '<html><body>Welcome</body></html>'],
    [200, ''],
    [404, '<html>nothing here</html>'],
    [400, 'Client sent an HTTP request to an HTTPS server.'],
  ])('says that what answers %i %j is no S3 store', async (status, body) => {
    proxy.fault = () => ({ kind: 'answer', status, body });
    for (const call of [
      () => createS3Destination(place).list(),
      () => createS3Destination(place).stat('x'),
      () => createS3Destination(place).createText('x', 'x'),
      () => createS3Destination(place).check(),
    ]) {
      expect(await errorOf(call())).toMatchObject({
        code: 'Failed',
        hint: expect.stringContaining('s3_endpoint') as string,
      });
    }
  });

  test('says that a proxy without a store behind it does not answer', async () => {
    proxy.fault = () => ({ kind: 'answer', status: 502, body: 'bad gateway' });
    expect(await errorOf(createS3Destination(place).list())).toMatchObject({ code: 'ServerUnreachable' });
  });

  test('says that nobody answers at a name or port', async () => {
    for (const endpoint of ['http://127.0.0.1:1', 'http://no-such-host.invalid']) {
      expect(await errorOf(createS3Destination({ ...place, endpoint }).list())).toMatchObject({
        code: 'ServerUnreachable',
        retryable: true,
        message: expect.stringContaining(endpoint) as string,
      });
    }
  });

  test('does not wait for ever for a store that hangs', async () => {
    place = { ...place, idleTimeoutMs: 300 };
    proxy.fault = () => ({ kind: 'hold' });
    expect(await errorOf(createS3Destination(place).list())).toMatchObject({ code: 'ServerUnreachable' });
    expect(await errorOf(put())).toMatchObject({ code: 'ServerUnreachable' });
  });
});

test('bears a store that is busy for a moment', async () => {
  place = { ...place, maxAttempts: 4 };
  const body = '<Error><Code>SlowDown</Code><Message>later</Message></Error>';
  const seen = new Map<string, number>();
  proxy.fault = ({ method, path, query }) => {
    const request = `${method} ${path} ${query.toString()}`;
    seen.set(request, (seen.get(request) ?? 0) + 1);
    return seen.get(request) === 1 ? { kind: 'answer', status: 503, body } : undefined;
  };
  expect(await put()).toBe('checksum');
});

test('goes on with the parts that a store has after it was killed and came back', async () => {
  const server = await startS3();
  try {
    await server.createBucket('kept');
    const outage = await new S3Proxy(server.endpoint).start();
    place = { ...place, bucket: 'kept', endpoint: outage.endpoint };
    await killInMidUpload(server, outage);
    await server.restart();
    const before = outage.requests.splice(0);
    expect(await waitFor('the store to take the rest', () => put())).toBe('checksum');
    expect(sentParts(outage.requests).filter((part) => acceptedParts(before).includes(part))).toEqual([]);
    const back = join(scratch, 'back-after-restart');
    await createS3Destination(place).fetchFile(PATH, back, facts, transfer());
    await outage.stop();
  } finally {
    await server.stop();
  }
});

async function killInMidUpload(server: S3Server, outage: S3Proxy): Promise<void> {
  outage.fault = (request) => (isPart(request) && partNumber(request) > 3 ? { kind: 'hold' } : undefined);
  const cutOff = put();
  cutOff.catch(() => undefined);
  await waitFor('three parts', () => acceptedParts(outage.requests).length === 3 && outage.heldCount > 0);
  await server.kill();
  outage.release();
  await expect(cutOff).rejects.toMatchObject({ code: 'ServerUnreachable', retryable: true });
}

describe('a download', () => {
  beforeEach(async () => {
    await put();
    proxy.requests.length = 0;
  });

  const fetchTo = (name: string) => createS3Destination(place).fetchFile(PATH, join(scratch, name), facts, transfer());

  test('is taken up where it broke off', async () => {
    const cuts = [{ afterBytes: 3_000_000 }, { afterBytes: 5_000_000, isClean: true }, { afterBytes: 2_000_000 }];
    proxy.fault = (request) => {
      const cut = isDownload(request) ? cuts.shift() : undefined;
      return cut && { kind: 'cut-answer', ...cut };
    };
    await fetchTo('whole');
    expect(factsOf(await readFile(join(scratch, 'whole')))).toEqual(facts);
    expect(proxy.requests.filter(isDownload)).toHaveLength(4);
  });

  test('fails where no byte comes any more, and leaves no file', async () => {
    proxy.fault = (request) => (isDownload(request) ? { kind: 'cut-answer', afterBytes: 0 } : undefined);
    await expect(fetchTo('nothing')).rejects.toMatchObject({ code: 'ServerUnreachable' });
    expect(await readdir(scratch)).not.toContain('nothing');
  });

  test('fails where its rest is of another object', async () => {
    let downloads = 0;
    proxy.fault = (request) => {
      if (!isDownload(request)) return undefined;
      downloads += 1;
      return downloads === 1 ? { kind: 'cut-answer', afterBytes: 3_000_000 } : { kind: 'hold' };
    };
    const fetching = fetchTo('mixed');
    fetching.catch(() => undefined);
    await waitFor('the rest to be asked for', () => proxy.heldCount === 1);
    const other = { Bucket: place.bucket, Key: `${place.prefix}/${PATH}`, Body: Buffer.alloc(facts.sizeBytes) };
    await withClient((client) => client.send(new PutObjectCommand(other)));
    proxy.release();
    await expect(fetching).rejects.toMatchObject({ message: expect.stringContaining('PreconditionFailed') as string });
    expect(await readdir(scratch)).not.toContain('mixed');
  });
});

test('finds open uploads on every page of their list', async () => {
  const upload = (key: string) =>
    `<Upload><Key>${place.prefix}/${key}</Key><UploadId>u-${key}</UploadId><Initiated>2026-11-24T03:00:00Z</Initiated></Upload>`;
  const page = (inner: string) => `<ListMultipartUploadsResult>${inner}</ListMultipartUploadsResult>`;
  proxy.fault = ({ method, query }) => {
    if (method === 'DELETE') return { kind: 'answer', status: 204, body: '' };
    if (!query.has('uploads')) return undefined;
    if (query.get('upload-id-marker') === 'u-a') return { kind: 'answer', status: 200, body: page(upload('b')) };
    const more =
      '<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>u-a</NextUploadIdMarker>';
    return { kind: 'answer', status: 200, body: page(upload('a') + more) };
  };
  const sweep = { isOurs: () => true, olderThanMs: 0, now: new Date('2026-12-24T03:00:00Z') };
  expect(await createS3Destination(place).sweepPuts(sweep)).toBe(2);
  expect(proxy.requests.filter(({ method }) => method === 'DELETE').map(({ query }) => query.get('uploadId'))).toEqual([
    'u-a',
    'u-b',
  ]);
  expect(await openUploads(place)).toBe(0);
});
