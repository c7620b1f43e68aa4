import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { GrowingFile } from '../../src/growing-file.js';
import { removeDirectory } from '../support/scratch-directory.js';

it('a file that others write to is read by whole lines, and anew where it was cut or replaced', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'growing-file-'));
  onTestFinished(() => removeDirectory(directory));
  const path = join(directory, 'log');
  const file = new GrowingFile(path);
  const read = async () => {
    let text = '';
    await file.readLines((lines) => Promise.resolve(void (text += lines.toString())));
    return text;
  };
  expect(await read()).toBe('');
  await writeFile(path, 'one\ntw');
  expect(await read()).toBe('one\n');
  await appendFile(path, 'o\nthree');
  expect(await read()).toBe('two\n');
  expect(file.rest.toString()).toBe('three');
  await truncate(path);
  await appendFile(path, 'cut\n');
  expect(await read()).toBe('cut\n');
  await rm(path);
  await writeFile(path, 'longer than before\n'); // and, on most file systems, with the same inode
  expect(await read()).toBe('longer than before\n');
});
