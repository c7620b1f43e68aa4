import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { CASES } from '../bench/cases/index.js';
import type { Samples } from '../bench/row.js';
import { inScratchDirectory, removeDirectory } from '../support/scratch-directory.js';

const run = promisify(execFile);
/** Every case makes its data and starts its workers: two minutes where the machine has nothing else to do. */
const PATIENCE_MS = 12 * 60_000;
const BENCH = ['--import', 'tsx', 'test/bench/bench.ts'];

test(
  'every case of the bench works on small data',
  async () => {
    const directory = await inScratchDirectory('bench-smoke', (made) => Promise.resolve(made));
    try {
      const json = join(directory, 'figures.json');
      const { stdout } = await run(process.execPath, [...BENCH, '--smoke', '--json', json]);
      const rows = JSON.parse(await readFile(json, 'utf8')) as { what: string; samples: Samples; median: number }[];
      expect(rows.length).toBeGreaterThanOrEqual(CASES.length);
      for (const { what, samples, median } of rows) {
        if (samples !== 'missing') expect(median, what).toBeGreaterThanOrEqual(0);
        expect(stdout).toContain(`| ${what.replaceAll('|', '\\|')} `);
      }
    } finally {
      await removeDirectory(directory);
    }
  },
  PATIENCE_MS,
);

test('a case that does not exist is refused by name', async () => {
  const failure = await run(process.execPath, [...BENCH, '--only', 'nothing']).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no case nothing') as unknown });
});
