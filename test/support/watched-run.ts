import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { RUN_PATTERN } from '../../src/domain/names.js';
import type { Manifest } from '../../src/domain/manifest.js';
import type { RunReport } from '../../src/domain/run.js';
import type { RunningCommand } from './backupctl.js';
import type { Deployment } from './deployment.js';
import { leftovers, NOTHING_LEFT } from './leftovers.js';
import { filesIn } from './snapshot.js';
import { waitFor } from './wait-for.js';
import type { WorkerOptions, WorkerProcess } from './worker-process.js';

/** A worker that died with a task of a run holds that run up until the task times out. */
const PATIENT = { timeoutMs: 120_000 };

/** A run that `backupctl run --json` follows while its workers come and go. */
export interface WatchedRun {
  id: string;
  /** Its directory. */
  directory: string;
  command: RunningCommand;
}

/** Starts a run, and returns once it has an id. */
export async function startRun(deployment: Deployment): Promise<WatchedRun> {
  const before = await runsOf(deployment);
  const command = deployment.startBackupctl(['run', '--json']);
  const isNew = (run: string) => !before.includes(run);
  const id = await waitFor('the run to be planned', async () => (await runsOf(deployment)).find(isNew), PATIENT);
  return { id, directory: join(deployment.backupDir, id), command };
}

async function runsOf({ backupDir }: Deployment): Promise<string[]> {
  return (await readdir(backupDir)).filter((name) => RUN_PATTERN.test(name));
}

/** Waits for the end of a run, which has to be the one that was started, with every target backed up. */
export async function expectSuccess({ id, command }: WatchedRun): Promise<RunReport> {
  const { code, stdout, stderr } = await command.ended;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const report = JSON.parse(stdout) as RunReport;
  expect(report).toMatchObject({ run: id, outcome: 'succeeded' });
  return report;
}

/** Waits until a target has its manifest, and returns that. */
export async function committed(run: WatchedRun, target: string): Promise<Manifest> {
  const text = await waitFor(
    `${target} to be committed`,
    async () => {
      const name = (await filesIn(run.directory)).find(
        (f) => f.startsWith(`${target}_`) && f.endsWith('.manifest.json'),
      );
      return name === undefined ? undefined : readFile(join(run.directory, name), 'utf8');
    },
    PATIENT,
  );
  return JSON.parse(text) as Manifest;
}

/** Starts a worker whose temporary files can be told from everybody else's. */
export async function startWatchedWorker(
  deployment: Deployment,
  env: Record<string, string> = {},
  options: Pick<WorkerOptions, 'wrapper'> = {},
): Promise<WorkerProcess> {
  const TMPDIR = temporaryDirectoryOf(deployment);
  await mkdir(TMPDIR, { recursive: true });
  return deployment.startWorker({ TMPDIR, ...env }, options);
}

function temporaryDirectoryOf({ directory }: Deployment): string {
  return join(directory, 'tmp');
}

/** Nothing of any attempt may be left, besides what they committed. */
export async function expectNothingLeft(deployment: Deployment, bucket?: string): Promise<void> {
  const temporaryDirectory = temporaryDirectoryOf(deployment);
  const found = await leftovers({ deployment, temporaryDirectory, ...(bucket !== undefined && { bucket }) });
  expect(found).toEqual(NOTHING_LEFT);
}
