import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { feedFile, type FeedOptions } from '../../src/pipeline/feed.js';

/** A file, and what is as the stdin of a process that has ended after the last byte: without an error. */
async function feedOne(options: FeedOptions) {
  const directory = await mkdtemp(join(tmpdir(), 'feed-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'file');
  await writeFile(path, 'all in one piece');
  const file = await open(path);
  onTestFinished(() => file.close());
  const stdin = new Writable({
    write(_piece, _encoding, done) {
      done();
      this.destroy();
    },
  });
  return feedFile(file, stdin, options);
}

test('a reader that exits between the last byte and the end has not read to the end', async () => {
  expect(await feedOne({})).toBeUndefined();
});

test('one that knows where its input ends may do so', async () => {
  expect(await feedOne({ mayEndEarly: true })).toMatchObject({ sizeBytes: 16 });
});
