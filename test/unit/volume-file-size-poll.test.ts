import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pollFileSize } from '../../src/pipeline/file-size-poll.js';
import { waitFor } from '../support/wait-for.js';

test('a file that does not grow is told of once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'poll-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [still, growing] = [join(directory, 'still'), join(directory, 'growing')];
  await writeFile(still, 'four');
  await writeFile(growing, 'four');
  const told: Record<'still' | 'growing', number[]> = { still: [], growing: [] };
  const ends = [
    pollFileSize(still, (sizeBytes) => told.still.push(sizeBytes), 10),
    pollFileSize(
      growing,
      (sizeBytes) => {
        told.growing.push(sizeBytes);
        appendFileSync(growing, 'more');
      },
      10,
    ),
  ];
  await waitFor('many looks', () => told.growing.length > 5);
  for (const end of ends) end();

  expect(told.still).toEqual([4]);
  expect(told.growing.slice(0, 5)).toEqual([4, 8, 12, 16, 20]);
});
