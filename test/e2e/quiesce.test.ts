import { afterAll, beforeAll, expect, it } from 'vitest';
import { targetWorkflowId } from '../../src/domain/task-queues.js';
import { SOON_LOST, deploy, readLog, volumeItem, type Deployment } from '../support/deployment.js';
import { serviceOf } from '../support/leftovers.js';
import { ownVolume, type OwnTest } from '../support/own-parts.js';
import { pauseHelper, slowHelperEnv } from '../support/paused-helper.js';
import { recordsIn } from '../support/quiescing.js';
import { ownContainer, statusOf } from '../support/resting-container.js';
import { waitFor } from '../support/wait-for.js';
import { committed, expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';
import type { WorkerProcess } from '../support/worker-process.js';

const endings: (() => unknown)[] = [];
const scope = { onTestFinished: (ending: () => unknown) => void endings.unshift(ending) } as OwnTest;
let deployment: Deployment;
let slow: Record<string, string>;
let worker: WorkerProcess;
let user: string;

beforeAll(async () => {
  const volume = await ownVolume(scope, 'head -c 30M /dev/urandom >large');
  user = await ownContainer(scope, ['--volume', `${volume}:/data`]);
  deployment = await deploy({
    volumes: volumeItem('files', volume, `stop_containers: [${user}]`),
    settings: SOON_LOST,
  });
  scope.onTestFinished(() => deployment.close());
  slow = await slowHelperEnv(deployment);
  worker = await startWatchedWorker(deployment, slow);
});
afterAll(async () => {
  for (const end of endings) await end();
});

it('a workflow that is terminated while a container is down lets it come back', async () => {
  const run = await startRun(deployment);
  await pauseHelper(deployment, run, 'files');
  expect(await statusOf(user)).toEqual(['exited']);
  expect(await recordsIn(deployment.backupDir)).toMatchObject([{ target: 'files', run: run.id, how: 'stop' }]);

  const service = await serviceOf(deployment);
  const workflowId = targetWorkflowId({ service, kind: 'volume', target: 'files' });
  await deployment.client.workflow.getHandle(workflowId).terminate('by a person');
  await waitFor('the container to run', async () => (await statusOf(user))[0] === 'running');
  await waitFor('the record to go', async () => (await recordsIn(deployment.backupDir)).length === 0);
  expect((await run.command.ended).code).toBe(1);
});

it('a container that was down when its worker was killed comes back with the next one, which finishes the run', async () => {
  const run = await startRun(deployment);
  await pauseHelper(deployment, run, 'files');
  worker.crash();
  await worker.ended;
  expect(await statusOf(user)).toEqual(['exited']);

  const second = await startWatchedWorker(deployment);
  const log = (await readLog(second)).split('\n');
  const at = (text: string) => log.findIndex((line) => line.includes(text));
  expect(at(`${user} runs, which the capture of files (run ${run.id}) had brought down`)).toBeGreaterThan(-1);
  expect(at(`${user} runs`)).toBeLessThan(at('worker is ready'));
  await expectSuccess(run);

  expect(await committed(run, 'files')).toMatchObject({ quiesced: { how: 'stop', containers: [user] } });
  expect(await statusOf(user)).toEqual(['running']);
  await expectNothingLeft(deployment);
});
