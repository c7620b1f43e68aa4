import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Destination, TransferOptions } from '../../src/destinations/destination.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import { BackupError } from '../../src/domain/errors.js';
import { factsOf, writeNoise } from '../support/noise-file.js';
import { s3Destination, useProvidedS3 } from '../support/s3-place.js';

const RUN = '20261124_030000';
const PART_BYTES = 5 * 1024 * 1024;
const SMALL_BYTES = 300_000;
const LARGE_BYTES = 3 * PART_BYTES + 12_345;

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'destination-'));
  await useProvidedS3();
});

afterAll(() => rm(scratch, { recursive: true }));

interface Adapter {
  name: string;
  /** An empty place. */
  create: () => Promise<Destination>;
  /** A place whose directory or bucket is missing. */
  createMissing: () => Destination;
}

const adapters: Adapter[] = [
  {
    name: 'local',
    create: async () => createLocalDestination({ root: await mkdtemp(join(scratch, 'root-')) }),
    createMissing: () => createLocalDestination({ root: join(scratch, 'not-mounted') }),
  },
  {
    name: 's3',
    create: () => Promise.resolve(s3Destination({ partSizeBytes: PART_BYTES })),
    createMissing: () => s3Destination({ bucket: 'no-such-bucket' }),
  },
];

describe.each(adapters)('the $name destination', ({ create, createMissing }) => {
  test('lists what was stored, by the beginning of its path', async () => {
    const destination = await create();
    expect(await destination.list()).toEqual([]);
    await destination.createText(`${RUN}/run.json`, '{}');
    await destination.createText(`${RUN}/b.json`, 'four');
    await destination.createText('20261125_030000/run.json', 'x');
    await destination.createText('.backup-dir.json', '');

    expect(sorted(await destination.list())).toEqual([
      { path: '.backup-dir.json', sizeBytes: 0 },
      { path: `${RUN}/b.json`, sizeBytes: 4 },
      { path: `${RUN}/run.json`, sizeBytes: 2 },
      { path: '20261125_030000/run.json', sizeBytes: 1 },
    ]);
    expect(sorted(await destination.list(`${RUN}/`))).toHaveLength(2);
    expect(sorted(await destination.list(`${RUN}/r`))).toEqual([{ path: `${RUN}/run.json`, sizeBytes: 2 }]);
    expect(await destination.list('2027')).toEqual([]);
  });

  test('says undefined of what is not there, and removes it without complaint', async () => {
    const destination = await create();
    await destination.createText(`${RUN}/run.json.more`, 'longer name');
    expect(await destination.stat(`${RUN}/run.json`)).toBeUndefined();
    expect(await destination.readText(`${RUN}/run.json`)).toBeUndefined();
    expect(await destination.stat(RUN)).toBeUndefined();
    await destination.remove(`${RUN}/run.json`);
    await destination.remove('20270101_000000/run.json');
    expect(await destination.readText(`${RUN}/run.json.more`)).toBe('longer name');
  });

  test('creates a text once, and removes it', async () => {
    const destination = await create();
    const text = 'é \u{1F4BE} \0 "quotes"\r\n';
    expect(await destination.createText(`${RUN}/x.json`, text)).toBe('created');
    expect(await destination.createText(`${RUN}/x.json`, 'other')).toBe('taken');
    expect(await destination.readText(`${RUN}/x.json`)).toBe(text);
    expect(await destination.stat(`${RUN}/x.json`)).toEqual({
      path: `${RUN}/x.json`,
      sizeBytes: Buffer.byteLength(text),
    });
    await destination.remove(`${RUN}/x.json`);
    expect(await destination.list()).toEqual([]);
  });

  test('lets one of many creators win', async () => {
    const destination = await create();
    const texts = Array.from({ length: 12 }, (_, index) => `text ${String(index)}`);
    const outcomes = await Promise.all(texts.map((text) => destination.createText(`${RUN}/run.json`, text)));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(await destination.readText(`${RUN}/run.json`)).toBe(texts[outcomes.indexOf('created')]);
    expect(await destination.list()).toHaveLength(1);
  });

  test('replaces a derived text, and creates it where there is none', async () => {
    const destination = await create();
    await destination.replaceText(`${RUN}/SHA256SUMS`, 'one');
    await destination.replaceText(`${RUN}/SHA256SUMS`, 'the second');
    expect(await destination.readText(`${RUN}/SHA256SUMS`)).toBe('the second');
    const texts = Array.from({ length: 8 }, (_, index) => `text ${String(index)}`);
    await Promise.all(texts.map((text) => destination.replaceText(`${RUN}/SHA256SUMS`, text)));
    expect(texts).toContain(await destination.readText(`${RUN}/SHA256SUMS`));
    expect(await destination.list()).toHaveLength(1);
  });

  test.each([
    ['small', SMALL_BYTES],
    ['large', LARGE_BYTES],
  ])('brings a %s file there and back', async (_size, sizeBytes) => {
    const destination = await create();
    const from = join(await mkdtemp(join(scratch, 'file-')), 'artifact');
    const facts = await writeNoise(from, sizeBytes);
    const sent = progress();
    expect(await destination.putFile(`${RUN}/a.sql.gz`, from, facts, sent.options)).toMatch(/checksum|read-back/);
    expect(sent.last()).toBe(sizeBytes);
    expect(await destination.list()).toEqual([{ path: `${RUN}/a.sql.gz`, sizeBytes }]);

    const got = progress();
    await destination.fetchFile(`${RUN}/a.sql.gz`, `${from}.back`, facts, got.options);
    expect(got.last()).toBe(sizeBytes);
    expect(factsOf(await readFile(`${from}.back`))).toEqual(facts);
    expect((await stat(`${from}.back`)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['small', SMALL_BYTES],
    ['large', LARGE_BYTES],
  ])('takes the same %s file twice, and at the same time, and never another', async (_size, sizeBytes) => {
    const destination = await create();
    const directory = await mkdtemp(join(scratch, 'file-'));
    const [one, other] = [join(directory, 'one'), join(directory, 'other')];
    const facts = await writeNoise(one, sizeBytes);
    const put = () => destination.putFile(`${RUN}/a.tar.gz`, one, facts, progress().options);
    await Promise.all([put(), put(), put()]);
    const again = progress();
    await destination.putFile(`${RUN}/a.tar.gz`, one, facts, again.options);
    expect(again.last()).toBe(sizeBytes);

    const otherFacts = await writeNoise(other, sizeBytes);
    const refused = destination.putFile(`${RUN}/a.tar.gz`, other, otherFacts, progress().options);
    await expect(refused).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('another') as string,
    });
    await destination.fetchFile(`${RUN}/a.tar.gz`, `${one}.back`, facts, progress().options);
    expect(await destination.list()).toHaveLength(1);
  });

  test.each([
    ['small', SMALL_BYTES],
    ['large', LARGE_BYTES],
  ])('refuses a %s local file that is not what its facts say, and stores nothing', async (_size, sizeBytes) => {
    const destination = await create();
    const from = join(await mkdtemp(join(scratch, 'file-')), 'artifact');
    const facts = await writeNoise(from, sizeBytes);
    const bytes = await readFile(from);
    const flipped = Buffer.from(bytes);
    flipped[sizeBytes - 7] = (flipped[sizeBytes - 7] ?? 0) ^ 4;
    for (const damaged of [flipped, bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from('x')])]) {
      await writeFile(from, damaged);
      const put = destination.putFile(`${RUN}/a.sql.gz`, from, facts, progress().options);
      await expect(put).rejects.toMatchObject({ code: 'Damaged' });
      expect(await destination.list()).toEqual([]);
    }
  });

  test('fetches nothing but the bytes that are asked for', async () => {
    const destination = await create();
    const directory = await mkdtemp(join(scratch, 'file-'));
    const from = join(directory, 'artifact');
    const facts = await writeNoise(from, SMALL_BYTES);
    await destination.putFile(`${RUN}/a.sql.gz`, from, facts, progress().options);
    const fetch = (to: string, path: string, wanted = facts) =>
      destination.fetchFile(path, join(directory, to), wanted, progress().options);

    const otherSha = { ...facts, sha256: 'f'.repeat(64) };
    await expect(fetch('x', `${RUN}/a.sql.gz`, otherSha)).rejects.toMatchObject({ code: 'Damaged' });
    const otherSize = { ...facts, sizeBytes: facts.sizeBytes + 1 };
    await expect(fetch('x', `${RUN}/a.sql.gz`, otherSize)).rejects.toMatchObject({ code: 'Damaged' });
    await expect(fetch('x', `${RUN}/b.sql.gz`)).rejects.toMatchObject({ code: 'NotFound' });
    await writeFile(join(directory, 'taken'), 'somebody else');
    await expect(fetch('taken', `${RUN}/a.sql.gz`)).rejects.toMatchObject({ code: 'Conflict' });
    expect(await readFile(join(directory, 'taken'), 'utf8')).toBe('somebody else');
    expect((await readdir(directory)).sort()).toEqual(['artifact', 'taken']);
  });

  test('ends a transfer when it is told to, and does it anew later', async () => {
    const destination = await create();
    const directory = await mkdtemp(join(scratch, 'file-'));
    const from = join(directory, 'artifact');
    const facts = await writeNoise(from, LARGE_BYTES);
    const stalled = new BackupError('Stalled', 'cannot go on: because no byte moved');
    const path = `${RUN}/a.tar.zst`;

    await expect(destination.putFile(path, from, facts, abortAtOnce())).rejects.toMatchObject({ code: 'Cancelled' });
    await expect(destination.putFile(path, from, facts, abortAtOnce(stalled))).rejects.toBe(stalled);
    expect(await destination.stat(path)).toBeUndefined();
    await destination.putFile(path, from, facts, progress().options);
    const to = join(directory, 'back');
    await expect(destination.fetchFile(path, to, facts, abortAtOnce(stalled))).rejects.toBe(stalled);
    expect(await readdir(directory)).toEqual(['artifact']);
    await destination.fetchFile(path, to, facts, progress().options);
  });

  test('names the place that is missing in everything that it is asked', async () => {
    const destination = createMissing();
    const from = join(await mkdtemp(join(scratch, 'file-')), 'artifact');
    const facts = await writeNoise(from, SMALL_BYTES);
    const { options } = progress();
    const attempts = [
      () => destination.list(),
      () => destination.stat(`${RUN}/x`),
      () => destination.readText(`${RUN}/x`),
      () => destination.createText(`${RUN}/x`, 'x'),
      () => destination.replaceText(`${RUN}/x`, 'x'),
      () => destination.putFile(`${RUN}/x`, from, facts, options),
      () => destination.fetchFile(`${RUN}/x`, `${from}.back`, facts, options),
      () => destination.remove(`${RUN}/x`),
      () => destination.check(),
    ];
    for (const attempt of attempts) {
      await expect(attempt(), String(attempt)).rejects.toMatchObject({
        code: 'NotFound',
        retryable: false,
        message: expect.stringMatching(/no-such-bucket|not-mounted/) as string,
        hint: expect.any(String) as string,
      });
    }
    await expect(readdir(join(scratch, 'not-mounted'))).rejects.toThrow('ENOENT');
  });

  test.each(['../x', '/etc/x', 'a//b', 'a/../../x', './x', 'a/', '', 'a\\b', 'a\0b'])(
    'refuses the path %j',
    async (path) => {
      const destination = await create();
      const call = async () => destination.createText(path, 'x');
      await expect(call()).rejects.toThrow('not a path within a destination');
      await expect((async () => destination.remove(path))()).rejects.toThrow('not a path within a destination');
    },
  );

  test('passes its check, which leaves nothing', async () => {
    const destination = await create();
    await destination.check();
    expect(await destination.list()).toEqual([]);
  });
});

function sorted<T extends { path: string }>(objects: T[]): T[] {
  return objects.sort((one, other) => (one.path < other.path ? -1 : 1));
}

function progress() {
  let last = 0;
  const options: TransferOptions = {
    signal: new AbortController().signal,
    onProgress: (bytesDone) => {
      last = bytesDone;
    },
  };
  return { options, last: () => last };
}

/** Aborts as soon as the first bytes moved. */
function abortAtOnce(reason?: unknown): TransferOptions {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: () => {
      controller.abort(reason);
    },
  };
}
