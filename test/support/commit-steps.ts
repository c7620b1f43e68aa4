import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { SOON_LOST, databaseItem, volumeItem, type Deployment, type DeploymentOptions } from './deployment.js';
import { inOwnScope, ownDatabase, ownDeployment, ownVolume, type OwnTest } from './own-parts.js';
import { snapshotFiles, type Snapshot } from './snapshot.js';
import { startTracedWorker, type DiskStep } from './traced-worker.js';
import { waitFor } from './wait-for.js';
import { expectNothingLeft, expectSuccess, startRun, startWatchedWorker, type WatchedRun } from './watched-run.js';
import { outlive, ZOMBIE_ENV } from './zombie.js';

const run = promisify(execFile);

/** A deployment with one target, `data`; every one does the same on its disk. */
export interface Subject {
  deploy: (scope: OwnTest) => Promise<Deployment>;
  /** Runs that are over before the one that is looked at. */
  earlierRuns?: number;
}

export function databaseSubject(settings: DeploymentOptions['settings'] = {}): Subject['deploy'] {
  return async (scope) =>
    ownDeployment(scope, {
      databases: databaseItem('data', await ownDatabase(scope)),
      settings: { ...SOON_LOST, ...settings },
    });
}

export function volumeSubject(settings: DeploymentOptions['settings'] = {}): Subject['deploy'] {
  return async (scope) =>
    ownDeployment(scope, {
      volumes: volumeItem('data', await ownVolume(scope, 'echo one >file')),
      settings: { ...SOON_LOST, ...settings },
    });
}

/** What a worker does on the disk from its start to the report of its first run, where nothing disturbs it. */
export function surveySteps(subject: Subject): Promise<DiskStep[]> {
  return inOwnScope(async (scope) => {
    const deployment = await prepared(subject, scope);
    const { worker, steps } = await startTracedWorker(deployment);
    await expectSuccess(await startRun(deployment));
    await worker.stop();
    return steps();
  });
}

/** Those between the first sign of the artifact and the end of its commit. */
export function stepsOfCommit(steps: readonly DiskStep[]): DiskStep[] {
  const first = steps.findIndex(({ text }) => text.includes(' data_'));
  const last = steps.findLastIndex(({ text }) => text.startsWith('unlink data_')) + 1; // and the directory's fsync
  return steps.slice(first, last + 1);
}

/** All from the plan of the run on. */
export function stepsOfRun(steps: readonly DiskStep[]): DiskStep[] {
  return steps.slice(steps.findIndex(({ text }) => text === 'fsync run.json.TOKEN.part'));
}

/** Kills a worker as it enters the step: another one finishes the run, and keeps what was there under its last name. */
export function surviveKill(subject: Subject, step: DiskStep): Promise<void> {
  return inOwnScope(async (scope) => {
    const deployment = await prepared(subject, scope);
    const { worker, steps } = await startTracedWorker(deployment, { interruption: { step, signal: 'SIGKILL' } });
    const watched = await startRun(deployment);
    expect(await worker.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect((await steps()).at(-1)).toEqual(step);
    const before = await finalFiles(watched);

    await startWatchedWorker(deployment);
    await expectSuccess(watched);
    expect(await finalFiles(watched)).toMatchObject(before);
    expect(Object.keys(await finalFiles(watched))).toHaveLength(2); // artifact and manifest
    await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: watched.directory });
    await expectNothingLeft(deployment);
  });
}

/** Suspends a worker after the step: another one finishes the run, and the first one goes on after that. */
export function surviveSuspension(subject: Subject, step: DiskStep): Promise<void> {
  return inOwnScope(async (scope) => {
    const deployment = await prepared(subject, scope);
    const { worker, steps, isStopped } = await startTracedWorker(deployment, {
      interruption: { step, signal: 'SIGSTOP' },
      env: ZOMBIE_ENV,
    });
    const watched = await startRun(deployment);
    await waitFor('the worker to be suspended', isStopped);
    expect((await steps()).at(-1)).toEqual(step);
    await outlive({ deployment, zombie: worker, run: watched });
  });
}

async function prepared({ deploy, earlierRuns = 0 }: Subject, scope: OwnTest): Promise<Deployment> {
  const deployment = await deploy(scope);
  if (earlierRuns === 0) return deployment;
  const worker = await startWatchedWorker(deployment);
  for (let count = 0; count < earlierRuns; count++) await expectSuccess(await startRun(deployment));
  await worker.stop();
  return deployment;
}

/** Artifact and manifest, as far as they are there. */
async function finalFiles({ directory }: WatchedRun): Promise<Snapshot> {
  const files = Object.entries(await snapshotFiles(directory));
  return Object.fromEntries(files.filter(([path]) => path.startsWith('data_') && !path.endsWith('.part')));
}
