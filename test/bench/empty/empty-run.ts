import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { ServerProcess } from '../../support/server-process.js';
import { seconds } from '../measure.js';
import { onceOnStage, type Stage } from '../stage.js';
import type { EmptyRun, EmptyRunInput } from './workflows.js';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
const TASK_QUEUE = 'empty';
const WARM_UP = 10;

const bundled = onceOnStage(async ({ directory }: Stage) => {
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  const file = join(directory, 'empty-workflows.js');
  await writeFile(file, code);
  return file;
});

/** Seconds of a run that does nothing, by a worker that has done some already and ends with it. */
export async function emptyRunSeconds(stage: Stage, client: Client, input: EmptyRunInput): Promise<number> {
  const { namespace } = client.options;
  const logFile = join(stage.directory, `empty-${randomBytes(4).toString('hex')}.log`);
  const worker = new ServerProcess({
    ...{ name: 'the empty worker', program: process.execPath, logFile },
    args: ['--import', 'tsx', WORKER, stage.temporal.address, namespace, TASK_QUEUE, await bundled(stage)],
    isReady: async () => (await readFile(logFile, 'utf8')).includes('worker is ready'),
  });
  const run = (given: EmptyRunInput) =>
    client.workflow.execute<typeof EmptyRun>('EmptyRun', {
      ...{ workflowId: `empty-${randomBytes(4).toString('hex')}`, taskQueue: TASK_QUEUE },
      args: [given],
    });
  try {
    await worker.start();
    await run({ ...input, count: Math.min(WARM_UP, input.count) });
    return await seconds(() => run(input));
  } finally {
    await worker.kill();
  }
}
