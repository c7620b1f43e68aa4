import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { feedFile } from '../../src/pipeline/feed.js';

test('a reader that exits between the last byte and the end has not read to the end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'feed-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'file');
  await writeFile(path, 'all in one piece');
  const file = await open(path);
  onTestFinished(() => file.close());
  // As the stdin of a process is when that has ended: without an error.
  const stdin = new Writable({
    write(_piece, _encoding, done) {
      done();
      this.destroy();
    },
  });
  expect(await feedFile(file, stdin, {})).toBeUndefined();
});
