import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Info } from '@temporalio/activity';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHostActivities } from '../../src/activities/host.js';
import { Slots } from '../../src/activities/slots.js';
import { limitsOf } from '../../src/config/limits.js';
import type { HeartbeatDetails } from '../../src/domain/heartbeat.js';
import type { Destination, TransferOptions } from '../../src/destinations/destination.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import { BackupError } from '../../src/domain/errors.js';
import { inRun } from '../../src/domain/names.js';
import type { CopyArtifactInput } from '../../src/domain/steps.js';
import type { Runtime } from '../../src/runtime.js';
import { aManifest } from '../support/manifest.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { removeDirectory } from '../support/scratch-directory.js';
import { waitFor } from '../support/wait-for.js';
import { aTarget } from '../support/workflow-workers.js';

type Put = (options: TransferOptions) => Promise<void>;

interface Copy {
  env: MockActivityEnvironment;
  /** Paths that were abandoned. */
  abandoned: string[];
  /** What was swept, and when: before or after everything was put. */
  swept: { isOurs: (path: string) => boolean; olderThanMs: number; putsBefore: number }[];
  /** Of this run's artifact and an older one. */
  paths: string[];
  start(changes?: Partial<CopyArtifactInput>): Promise<unknown>;
}

/** A copy of two artifacts to a store of which only `put` is real. */
async function aCopy(put: Put, info: Partial<Info> = {}): Promise<Copy> {
  const root = await mkdtemp(join(tmpdir(), 'copy-'));
  onTestFinished(() => removeDirectory(root));
  const local = createLocalDestination({ root });
  const older = await placeArtifact([local], { target: 'mordor', run: '20261123_030000' });
  const own = await placeArtifact([local], { target: 'mordor', run: '20261124_030000' });
  const abandoned: string[] = [];
  const swept: Copy['swept'] = [];
  let puts = 0;
  const store: Partial<Destination> = {
    location: 's3://bucket',
    readText: () => Promise.resolve(undefined),
    stat: async (path) => (puts > 0 ? local.stat(path) : undefined),
    createText: () => Promise.resolve('created'),
    putFile: async (_path, _from, _facts, options) => {
      await put(options);
      puts += 1;
      return 'checksum';
    },
    sweepPuts: ({ isOurs, olderThanMs }) => Promise.resolve(swept.push({ isOurs, olderThanMs, putsBefore: puts })),
    abandonPut: (path) => Promise.resolve(void abandoned.push(path)),
  };
  const config = { backup: { limits: limitsOf({}) } };
  const runtime = { config, local, destination: () => store, redact: (text: string) => text } as unknown as Runtime;
  const activities = createHostActivities({
    runtime: () => Promise.resolve(runtime),
    slots: new Slots(),
    runLog: () => () => undefined,
    log: () => undefined,
  });
  const input: CopyArtifactInput = {
    ...{ service: 'middle-earth', run: own.run, target: aTarget('mordor'), source: aManifest().source },
    ...{ artifact: own.artifact.name, destination: 's3', stallTimeoutMs: 60_000, retryForMs: 60_000 },
    deadlineAt: new Date(Date.now() + 60_000).toISOString(),
  };
  const env = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  return {
    ...{ env, abandoned, swept, paths: [own, older].map(({ run, artifact }) => inRun(run, artifact.name)) },
    start: (changes = {}) => env.run((i: CopyArtifactInput) => activities.copyArtifact(i), { ...input, ...changes }),
  };
}

/** Goes on until it is ended, which may have been before it began. */
const endless: Put = ({ signal }) =>
  new Promise((_resolve, reject) => {
    const end = () => reject(new Error('aborted'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });

async function endedBy(end: (env: MockActivityEnvironment) => void, changes: Partial<CopyArtifactInput> = {}) {
  let isPutting = false;
  const copy = await aCopy((options) => {
    isPutting = true;
    return endless(options);
  });
  const failure = copy.start(changes).catch((error: unknown) => error);
  await waitFor('the upload', () => isPutting);
  end(copy.env);
  expect(await failure).toBeInstanceOf(Error);
  return copy;
}

describe('what a copy had sent when it was ended', () => {
  it('is dropped where the run was cancelled, of every artifact that an attempt may have been at', async () => {
    const { abandoned, paths } = await endedBy((env) => env.cancel());
    expect(abandoned).toEqual(paths);
  });

  it.each([
    ['its worker was told to end', 'WORKER_SHUTDOWN', { workerShutdown: true }],
    ['it took too long', 'TIMED_OUT', { timedOut: true }],
    ['it lost its heartbeat', 'NOT_FOUND', { notFound: true }],
    ['it was paused', 'PAUSED', { paused: true }],
  ] as const)('is kept where %s: another attempt goes on with it', async (_what, reason, details) => {
    const { abandoned } = await endedBy((env) => env.cancel(reason, new ActivityCancellationDetails(details)));
    expect(abandoned).toEqual([]);
  });

  it('is kept where the deadline of the run passed: the next run goes on with it', async () => {
    const { abandoned } = await endedBy((env) => env.cancel(), { deadlineAt: new Date().toISOString() });
    expect(abandoned).toEqual([]);
  });

  it('is kept where no byte moved for long', async () => {
    const { abandoned, start } = await aCopy(endless);
    await expect(start({ stallTimeoutMs: 50 })).rejects.toMatchObject({ type: 'Stalled' });
    expect(abandoned).toEqual([]);
  });
});

describe('what dead attempts left at a destination', () => {
  it('is swept once everything was brought, where it is of this target and older than a day', async () => {
    const { start, swept, paths } = await aCopy(() => Promise.resolve());
    expect(await start()).toMatchObject({ broughtCount: 2 });
    expect(swept).toMatchObject([{ olderThanMs: 24 * 60 * 60 * 1000, putsBefore: 2 }]);
    expect([...paths, '20261124_030000/gondor_20261124_030000.sql.gz'].map((path) => swept[0]?.isOurs(path))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('stays while there is something to go on with', async () => {
    const { start, swept } = await aCopy(() => Promise.reject(away));
    await expect(start()).rejects.toThrow();
    expect(swept).toEqual([]);
  });
});

const away = new BackupError('ServerUnreachable', 'cannot upload x: because the store does not answer');

/** What a copy fails with when the last one that got any further did so a minute ago, at byte 10. */
async function failureOf(put: Put, changes: Partial<CopyArtifactInput> = {}): Promise<ApplicationFailure> {
  const heartbeatDetails: HeartbeatDetails = { bytesDone: 10, movedAtMs: Date.now() - 60_000 };
  const { start } = await aCopy(put, { heartbeatDetails, attempt: 7 });
  const error: unknown = await start({ retryForMs: 30_000, ...changes }).catch((thrown: unknown) => thrown);
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
}

describe('a copy that fails again', () => {
  const fails: Put = () => Promise.reject(away);

  it('is tried again until nothing was accepted for `copy_retry_for`', async () => {
    expect(await failureOf(fails, { retryForMs: 90_000 })).toMatchObject({ nonRetryable: false });
    const failure = await failureOf(fails);
    expect(failure.message).toMatch(/no byte was accepted for 30 s: .*does not answer\nHINT: /);
    expect(failure.nonRetryable).toBe(true);
  });

  it('is tried again where it got any further', async () => {
    const failure = await failureOf(({ onProgress }) => Promise.reject(away).finally(() => onProgress(11)));
    expect(failure).toMatchObject({ nonRetryable: false, message: away.message });
  });

  it('is given up where more was on its way, and nothing of it was accepted', async () => {
    const failure = await failureOf(({ onUnderWay }) => Promise.reject(away).finally(() => onUnderWay?.(11)));
    expect(failure.nonRetryable).toBe(true);
  });

  it('is given up where it only came as far as the one before', async () => {
    const failure = await failureOf(({ onProgress }) => Promise.reject(away).finally(() => onProgress(10)));
    expect(failure.nonRetryable).toBe(true);
  });

  it('is given up where it stalls each time', async () => {
    const failure = await failureOf(endless, { stallTimeoutMs: 50 });
    expect(failure.message).toMatch(/no byte was accepted for 30 s: .*no byte moved for 0\.05 s\nHINT: /);
    expect(failure.nonRetryable).toBe(true);
  });

  it('says what only a person can mend in its own words', async () => {
    const refused = new BackupError('LoginRefused', 'cannot upload x: because the keys are refused', { hint: 'check' });
    const failure = await failureOf(() => Promise.reject(refused));
    expect(failure).toMatchObject({ message: refused.text, type: 'LoginRefused', nonRetryable: true });
  });
});
