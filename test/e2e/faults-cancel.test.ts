import { expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { volumeItem } from '../support/deployment.js';
import { ownBucket, ownDeployment, ownS3Proxy, ownVolume } from '../support/own-parts.js';
import { acceptedParts, isAbort, isPart, partNumber } from '../support/s3-proxy.js';
import { snapshotBucket } from '../support/snapshot.js';
import { waitFor } from '../support/wait-for.js';
import { committed, expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';

it('a run that is cancelled in mid-upload leaves no upload, keeps its artifact, and the next run brings that too', async (test) => {
  const [bucket, proxy] = [await ownBucket(), await ownS3Proxy(test)];
  const volume = await ownVolume(test, 'head -c 34M /dev/urandom >noise'); // three parts, the last one small
  const deployment = await ownDeployment(test, {
    volumes: volumeItem('files', volume),
    s3: { bucket, endpoint: proxy.endpoint },
    settings: { compression_level: 1 },
  });
  await startWatchedWorker(deployment);
  proxy.fault = (request) => (isPart(request) && partNumber(request) > 1 ? { kind: 'hold' } : undefined);
  const run = await startRun(deployment);
  await waitFor('the upload to be in its middle', () => acceptedParts(proxy.requests).length === 1);
  await waitFor('the other parts to be on their way', () => proxy.heldCount === 2);

  run.command.child.kill('SIGINT'); // nobody at a terminal can be asked: it cancels
  const { code, stdout } = await run.command.ended;
  expect(code).toBe(130);
  expect(JSON.parse(stdout) as RunReport).toMatchObject({ outcome: 'cancelled', targets: [{ outcome: 'cancelled' }] });
  expect(proxy.requests.filter(isAbort)).toHaveLength(1);
  expect(await snapshotBucket(bucket)).toEqual({
    [`${run.id}/run.json`]: expect.any(String) as string,
  });
  const { artifact } = await committed(run, 'files');
  await expectNothingLeft(deployment, bucket);

  proxy.release();
  const next = await startRun(deployment);
  await expectSuccess(next);
  expect(Object.keys(await snapshotBucket(bucket)).filter((key) => key.endsWith('.gz'))).toEqual([
    `${run.id}/${artifact.name}`,
    expect.stringContaining(next.id) as string,
  ]);
  await expectNothingLeft(deployment, bucket);
});
