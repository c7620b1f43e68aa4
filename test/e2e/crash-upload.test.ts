import { expect, it } from 'vitest';
import { volumeItem } from '../support/deployment.js';
import { ownBucket, ownDeployment, ownS3Proxy, ownVolume } from '../support/own-parts.js';
import { acceptedParts, isBegin, isComplete, isPart, sentParts } from '../support/s3-proxy.js';
import { snapshotFiles } from '../support/snapshot.js';
import { waitFor } from '../support/wait-for.js';
import { committed, expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';

it('a worker that is killed in mid-upload leaves parts, from which another one goes on', async (test) => {
  const [bucket, proxy] = [await ownBucket(), await ownS3Proxy(test)];
  const volume = await ownVolume(test, 'head -c 50M /dev/urandom >noise'); // four parts, the last one small
  const deployment = await ownDeployment(test, {
    volumes: volumeItem('files', volume),
    s3: { bucket, endpoint: proxy.endpoint },
    settings: { compression_level: 1 },
  });
  proxy.fault = (request) =>
    isPart(request) && Number(request.query.get('partNumber')) > 2 ? { kind: 'hold' } : undefined;
  const worker = await startWatchedWorker(deployment);
  const run = await startRun(deployment);
  await waitFor('the upload to be in its middle', () => acceptedParts(proxy.requests).length === 2);
  await waitFor('the other parts to be on their way', () => proxy.heldCount === 2);
  const { artifact } = await committed(run, 'files');
  const { [artifact.name]: captured } = await snapshotFiles(run.directory);

  worker.crash();
  await worker.ended;
  const first = [...proxy.requests];
  proxy.fault = () => undefined;
  await startWatchedWorker(deployment);
  await expectSuccess(run);

  expect(sentParts(proxy.requests.slice(first.length)).sort()).toEqual([3, 4]);
  expect(proxy.requests.filter(isBegin)).toHaveLength(1);
  expect(proxy.requests.filter(isComplete)).toHaveLength(1);
  expect(await snapshotFiles(run.directory)).toMatchObject({ [artifact.name]: captured });
  await expectNothingLeft(deployment, bucket);
});
