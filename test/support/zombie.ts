import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Deployment } from './deployment.js';
import { snapshotBucket, snapshotFiles } from './snapshot.js';
import { waitFor } from './wait-for.js';
import { expectNothingLeft, expectSuccess, startRun, startWatchedWorker, type WatchedRun } from './watched-run.js';
import type { WorkerProcess } from './worker-process.js';

/** What `outlive` reads in the zombie's log. */
export const ZOMBIE_ENV = { LOG_LEVEL: 'debug' };

export interface ZombieScene {
  deployment: Deployment;
  /** A worker with ZOMBIE_ENV, suspended in the middle of the run. */
  zombie: WorkerProcess;
  run: WatchedRun;
  bucket?: string;
  /** Called when the zombie goes on: lets pass what was held of it. */
  onWake?: () => void;
}

/**
 * Another worker finishes the run; then the first one wakes up and goes on with what it was doing. It must change nothing
 * that is committed, leave nothing, and do the next run well.
 */
export async function outlive({ onWake, ...scene }: ZombieScene): Promise<void> {
  const { deployment, zombie, run, bucket } = scene;
  const second = await startWatchedWorker(deployment);
  await expectSuccess(run);
  const committed = await everything(scene);
  expect(await openSteps(zombie)).toBeGreaterThan(0);

  zombie.resume();
  onWake?.();
  await waitFor('the zombie to be done with its old work', async () => (await openSteps(zombie)) === 0);
  expect(await everything(scene)).toEqual(committed);

  await second.stop();
  await expectSuccess(await startRun(deployment));
  expect(await zombie.stop()).toEqual({ code: 0, signal: null });
  const { files, objects } = await everything(scene);
  expect(files).toEqual(committed.files);
  expect(objects).toMatchObject(committed.objects); // the next run's are there too
  await expectNothingLeft(deployment, bucket);
}

/** The run's files, and what is in the bucket. */
async function everything({ run, bucket }: Omit<ZombieScene, 'onWake'>) {
  const objects = bucket === undefined ? {} : await snapshotBucket(bucket);
  return { files: await snapshotFiles(run.directory), objects };
}

/** How many activities a worker began and has not ended. */
async function openSteps({ logFile }: WorkerProcess): Promise<number> {
  const log = await readFile(logFile, 'utf8');
  const count = (pattern: RegExp) => log.match(pattern)?.length ?? 0;
  return count(/"msg":"Activity started"/g) - count(/"msg":"Activity (completed|failed)/g);
}
