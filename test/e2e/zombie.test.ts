import { describe, it } from 'vitest';
import { SOON_LOST, databaseItem, volumeItem } from '../support/deployment.js';
import { holdDumps } from '../support/dump-hold.js';
import { ownBucket, ownDatabase, ownDeployment, ownS3Proxy, ownVolume } from '../support/own-parts.js';
import { pauseHelper, slowHelperEnv } from '../support/paused-helper.js';
import { acceptedParts, isPart, partNumber } from '../support/s3-proxy.js';
import { waitFor } from '../support/wait-for.js';
import { startRun, startWatchedWorker } from '../support/watched-run.js';
import { outlive, ZOMBIE_ENV } from '../support/zombie.js';

describe.concurrent('a worker that hangs past its heartbeat changes nothing when it wakes up', () => {
  it('in mid-dump', async (test) => {
    const database = await ownDatabase(test, 100_000);
    const deployment = await ownDeployment(test, { databases: databaseItem('mordor', database), settings: SOON_LOST });
    const hold = await holdDumps(database);
    const zombie = await startWatchedWorker(deployment, ZOMBIE_ENV);
    const run = await startRun(deployment);
    await hold.reached();

    await zombie.suspend();
    await hold.release();
    await outlive({ deployment, zombie, run });
  });

  it('in mid-tar', async (test) => {
    const volume = await ownVolume(test, 'head -c 30M /dev/urandom >large');
    const deployment = await ownDeployment(test, { volumes: volumeItem('files', volume), settings: SOON_LOST });
    const zombie = await startWatchedWorker(deployment, { ...ZOMBIE_ENV, ...(await slowHelperEnv(deployment)) });
    const run = await startRun(deployment);
    await pauseHelper(deployment, run, 'files');

    await zombie.suspend();
    await outlive({ deployment, zombie, run });
  });

  it('in mid-upload', async (test) => {
    const [bucket, proxy] = [await ownBucket(), await ownS3Proxy(test)];
    const volume = await ownVolume(test, 'head -c 50M /dev/urandom >noise');
    const deployment = await ownDeployment(test, {
      volumes: volumeItem('files', volume),
      s3: { bucket, endpoint: proxy.endpoint },
      settings: { ...SOON_LOST, compression_level: 1 },
    });
    proxy.fault = (request) => (isPart(request) && partNumber(request) > 2 ? { kind: 'hold' } : undefined);
    const zombie = await startWatchedWorker(deployment, ZOMBIE_ENV);
    const run = await startRun(deployment);
    await waitFor('the upload to be in its middle', () => acceptedParts(proxy.requests).length === 2);
    await waitFor('the other parts to be on their way', () => proxy.heldCount === 2);

    await zombie.suspend();
    proxy.fault = () => undefined;
    await outlive({ deployment, zombie, run, bucket, onWake: () => proxy.release() });
  });
});
