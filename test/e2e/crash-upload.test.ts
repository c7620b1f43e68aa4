import { describe, expect, it } from 'vitest';
import { stepsOfCopy, surveyRequests, surviveLostAnswer } from '../support/copy-steps.js';
import { NEVER_LOST, volumeItem } from '../support/deployment.js';
import { inOwnScope, ownBucket, ownDeployment, ownS3Proxy, ownVolume } from '../support/own-parts.js';
import { acceptedParts, isAbort, isBegin, isComplete, isPart, partNumber, sentParts } from '../support/s3-proxy.js';
import { seededSample } from '../support/seeded-sample.js';
import { snapshotFiles } from '../support/snapshot.js';
import { waitFor } from '../support/wait-for.js';
import { committed, expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';
import type { WorkerProcess } from '../support/worker-process.js';

const endings = [
  {
    title: 'that is killed in mid-upload leaves parts, from which another one goes on',
    end(worker: WorkerProcess) {
      worker.crash();
      return worker.ended;
    },
    ended: { code: null, signal: 'SIGKILL' },
  },
  {
    title: 'that is told to end in mid-upload does too',
    end: (worker: WorkerProcess) => worker.stop(),
    ended: { code: 0, signal: null },
  },
];

describe.concurrent('a worker', () => {
  it.each(endings.map((ending) => [ending.title, ending] as const))('%s', async (_title, ending) => {
    await inOwnScope(async (scope) => {
      const [bucket, proxy] = [await ownBucket(), await ownS3Proxy(scope)];
      const volume = await ownVolume(scope, 'head -c 50M /dev/urandom >noise'); // four parts, the last one small
      const deployment = await ownDeployment(scope, {
        volumes: volumeItem('files', volume),
        s3: { bucket, endpoint: proxy.endpoint },
        settings: { ...NEVER_LOST, compression_level: 1 },
      });
      proxy.fault = (request) => (isPart(request) && partNumber(request) > 2 ? { kind: 'hold' } : undefined);
      const worker = await startWatchedWorker(deployment);
      const run = await startRun(deployment);
      await waitFor('the upload to be in its middle', () => acceptedParts(proxy.requests).length === 2);
      await waitFor('the other parts to be on their way', () => proxy.heldCount === 2);
      const { artifact } = await committed(run, 'files');
      const { [artifact.name]: captured } = await snapshotFiles(run.directory);

      expect(await ending.end(worker)).toEqual(ending.ended);
      const first = [...proxy.requests];
      proxy.fault = () => undefined;
      await startWatchedWorker(deployment);
      await expectSuccess(run);

      expect(sentParts(proxy.requests.slice(first.length)).sort()).toEqual([3, 4]);
      const count = (is: typeof isBegin) => proxy.requests.filter(is).length;
      expect([count(isBegin), count(isComplete), count(isAbort)]).toEqual([1, 1, 0]);
      expect(await snapshotFiles(run.directory)).toMatchObject({ [artifact.name]: captured });
      await expectNothingLeft(deployment, bucket);
    });
  });

  // A sample: test/long/crash-copy.test.ts goes through every request.
  it('that is killed before it hears of what the store has done is followed by one that finds it', async () => {
    const steps = stepsOfCopy(await surveyRequests());
    expect(steps.length).toBeGreaterThan(5);
    for (const step of seededSample('deaths in a copy', steps, 1)) await surviveLostAnswer(step);
  });
});
