import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { establishIdentity } from '../../src/directory-identity.js';
import { openRunLog } from '../../src/run-log.js';
import { ownLocal } from '../support/places.js';

const run = '20261124_030000';

async function ownLog() {
  const { root } = await ownLocal();
  const errors: unknown[] = [];
  const redact = (text: string) => text.replaceAll('hunter2', '***');
  return { root, errors, log: openRunLog({ root, run, redact, onError: (error) => errors.push(error) }) };
}

test('nothing is written where the directory is not ours, and no error is made of it', async () => {
  const { root, errors, log } = await ownLog();
  await log.write('lost');
  expect(await readdir(root)).toEqual([]);
  expect(errors).toEqual([]);
});

test('lines come in their order, each with its moment and without secrets', async () => {
  const { root, errors, log } = await ownLog();
  await establishIdentity({ root });
  await Promise.all(['one hunter2', 'two\nmore of it\n', 'three'].map((line) => log.write(line)));
  const text = await readFile(join(root, 'logs', `backup_${run}.log`), 'utf8');
  expect(text.replaceAll(/^\d{4}-\S+Z /gm, '')).toBe('one ***\ntwo\n    more of it\nthree\n');
  expect(errors).toEqual([]);
});
