import { describe, expect, it } from 'vitest';
import { NEVER_LOST, databaseItem, volumeItem } from '../support/deployment.js';
import { holdDumps } from '../support/dump-hold.js';
import { serviceOf } from '../support/leftovers.js';
import { ownDatabase, ownDeployment, ownVolume } from '../support/own-parts.js';
import { pauseHelper, slowHelperEnv } from '../support/paused-helper.js';
import { processesUnder } from '../support/process-tree.js';
import { snapshotFiles, type Snapshot } from '../support/snapshot.js';
import { containersOf } from '../support/volume-attempt.js';
import { waitFor } from '../support/wait-for.js';
import {
  committed,
  expectNothingLeft,
  expectSuccess,
  startRun,
  startWatchedWorker,
  type WatchedRun,
} from '../support/watched-run.js';

/** What is in a run's directory of the target that was captured before the crash. */
async function doneFiles({ directory }: WatchedRun): Promise<Snapshot> {
  const files = Object.entries(await snapshotFiles(directory)).filter(([path]) => path.startsWith('done_'));
  expect(files).toHaveLength(2); // artifact and manifest
  return Object.fromEntries(files);
}

describe.concurrent('a worker that is killed', () => {
  it('in mid-dump takes its programs along, and another one finishes the run', async (test) => {
    const [small, large] = [await ownDatabase(test), await ownDatabase(test, 100_000)];
    const deployment = await ownDeployment(test, {
      databases: `${databaseItem('done', small)}\n${databaseItem('mordor', large)}`,
      settings: NEVER_LOST,
    });
    const hold = await holdDumps(large);
    const worker = await startWatchedWorker(deployment);
    const run = await startRun(deployment);
    const { captureStartedAt } = await committed(run, 'done');
    await hold.reached();
    const before = await doneFiles(run);
    const programs = processesUnder(worker.pid);
    expect(programs.map(({ name }) => name)).toEqual(expect.arrayContaining(['pg_dump', 'bgzip']));

    worker.crash();
    await waitFor('its programs to end', () => programs.every(({ hasEnded }) => hasEnded()));
    await startWatchedWorker(deployment);
    await hold.release();
    await expectSuccess(run);

    expect((await committed(run, 'done')).captureStartedAt).toBe(captureStartedAt);
    expect(await doneFiles(run)).toEqual(before);
    await expectNothingLeft(deployment);
  });

  it('in mid-tar leaves a container that the next attempt ends', async (test) => {
    const small = await ownVolume(test, 'echo one >file');
    const large = await ownVolume(test, 'head -c 30M /dev/urandom >large');
    const deployment = await ownDeployment(test, {
      volumes: `${volumeItem('done', small)}\n${volumeItem('files', large)}`,
      settings: { ...NEVER_LOST, max_parallel: 1 },
    });
    const worker = await startWatchedWorker(deployment, await slowHelperEnv(deployment));
    const run = await startRun(deployment);
    const container = await pauseHelper(deployment, run, 'files');
    const before = await doneFiles(run);

    worker.crash();
    await worker.ended;
    expect(await containersOf(await serviceOf(deployment))).toEqual([container]);
    await startWatchedWorker(deployment);
    await expectSuccess(run);

    expect(await doneFiles(run)).toEqual(before);
    await expectNothingLeft(deployment);
  });
});
