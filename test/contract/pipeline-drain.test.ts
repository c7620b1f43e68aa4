import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { drainToFile } from '../../src/pipeline/drain.js';
import { testDirectory } from '../support/volume-attempt.js';

/** As many as node has threads for files, and more. */
const THREADS = 64;

/** Keeps every file of this process from being opened: to open a FIFO waits for its other end. Returns what lets them go. */
async function holdOpening(): Promise<() => Promise<void>> {
  const directory = await testDirectory();
  const fifos = Array.from({ length: THREADS }, (_, index) => join(directory, String(index)));
  execFileSync('mkfifo', fifos);
  const opening = fifos.map((path) => open(path, 'r'));
  return async () => {
    execFileSync('bash', ['-c', 'for fifo; do : >"$fifo"; done', 'bash', ...fifos]);
    for (const file of await Promise.all(opening)) await file.close();
  };
}

test('what a program wrote that ended before its file could be opened is written', async () => {
  const path = join(await testDirectory(), 'part');
  await writeFile(path, '');
  const letGo = await holdOpening();
  const program = spawn('echo', ['one'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const drained = drainToFile({ stdout: program.stdout, path });
  await once(program, 'exit');
  await turn();
  await letGo();
  await drained;
  expect(await readFile(path, 'utf8')).toBe('one\n');
});
