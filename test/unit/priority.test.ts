import { once } from 'node:events';
import { expect, it } from 'vitest';
import { cpuShares, priorityPrograms, priorityWords } from '../../src/domain/priority.js';
import { startPipeline } from '../../src/pipeline/process.js';
import { childrenOf } from '../support/process-tree.js';
import { priorityOf, sessionNice } from '../support/seen-priority.js';
import { waitFor } from '../support/wait-for.js';

it.each([
  [{ nice: 10, ionice: 7 }, 10, 'best-effort: prio 7'],
  [{ nice: 19, ionice: 'idle' }, 19, 'idle'],
] as const)('the programs of a pipeline with %j have it, and so do their sessions', async (priority, nice, ionice) => {
  const before = childrenOf(process.pid);
  const stages = [
    { file: 'cat', args: [] },
    { file: 'cat', args: ['-u'] },
  ];
  const { stdin, stdout, finished } = startPipeline({ stages, stdin: 'pipe', stdout: 'pipe', priority });
  stdin.write('held');
  await once(stdout, 'readable'); // each of them is what it becomes in the end
  const pids = childrenOf(process.pid).filter((pid) => !before.includes(pid));
  expect(pids).toHaveLength(2);
  for (const pid of pids) {
    expect(await priorityOf(pid)).toEqual({ nice, ionice });
    await waitFor('the session', () => (sessionNice(pid) ?? nice) === nice);
  }
  stdin.end();
  stdout.resume();
  expect((await finished).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
});

it('a priority that is the usual one starts a program by no other', () => {
  expect(priorityWords({ nice: 0 })).toEqual([]);
  expect([0, 5, 10].map((nice) => cpuShares({ nice }))).toEqual([1024, 336, 110]);
});

it('a helper needs the programs of its priority alone: an image of somebody else may lack the other', () => {
  expect(priorityPrograms({ nice: 5 })).toEqual(['nice']);
  expect(priorityPrograms({ nice: 0, ionice: 'idle' })).toEqual(['ionice']);
  expect(priorityPrograms({ nice: 0 })).toEqual([]);
});
