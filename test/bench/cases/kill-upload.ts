import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptedParts, sentParts, S3Proxy, isPart, partNumber } from '../../support/s3-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import type { WorkerProcess } from '../../support/worker-process.js';
import type { BenchCase } from '../bench-case.js';
import { install, type Installation } from '../installation.js';
import { shell } from '../measure.js';
import type { Row } from '../row.js';

/** What does not compress, and how many of its parts the store has when the worker is killed: about half. */
const SIZES = {
  full: { megabytes: 1000, partsBefore: 30 },
  smoke: { megabytes: 100, partsBefore: 3 },
};
const WATCHING = { intervalMs: 5, timeoutMs: 300_000 };

/** A worker that is killed in mid-upload: when its successor goes on, and what that sends again. */
export const killUpload: BenchCase = {
  name: 'kill-upload',
  async measure(stage) {
    const { megabytes, partsBefore } = SIZES[stage.isSmoke ? 'smoke' : 'full'];
    const directory = join(stage.directory, 'noise');
    await mkdir(directory);
    await shell(`head -c ${String(megabytes)}M /dev/urandom > noise`, {}, directory);
    const proxy = await new S3Proxy(stage.s3.endpoint).start();
    stage.atEnd(() => proxy.stop());
    const installation = await install(stage, {
      volumes: [{ name: 'noise', path: directory }],
      settings: { compression_level: 1 },
      withS3: true,
      s3Endpoint: proxy.endpoint,
    });
    const seconds: number[] = [];
    const sentTwice: number[] = [];
    let { worker } = installation;
    for (let round = 0; round < stage.rounds; round++) {
      const killed = await killInUpload({ installation, proxy, worker, partsBefore });
      worker = killed.successor;
      seconds.push(killed.seconds);
      sentTwice.push(killed.sentTwice);
    }
    await installation.close();
    const what = `kill -9 in mid-upload of ${String(megabytes)} MB`;
    return [
      {
        what: `${what}: from the start of the next worker to its first part`,
        samples: seconds,
        unit: 's',
        goal: { of: 'median', is: 'at most', value: 5 },
        note: 'heartbeat_timeout 60s, as by default',
      },
      {
        what: `${what}: parts sent twice, but for those in flight`,
        samples: sentTwice,
        unit: 'parts',
        goal: { of: 'median', is: 'at most', value: 0 },
        note: `${String(partsBefore)} parts were in the store`,
      },
    ] satisfies Row[];
  },
};

interface KillInput {
  installation: Installation;
  proxy: S3Proxy;
  worker: WorkerProcess;
  partsBefore: number;
}

/** A run whose worker is killed when the store has so many parts and others are under way; it has to succeed. */
async function killInUpload({ installation, proxy, worker, partsBefore }: KillInput) {
  const first = proxy.requests.length;
  const requests = () => proxy.requests.slice(first);
  proxy.fault = (request) => (isPart(request) && partNumber(request) > partsBefore ? { kind: 'hold' } : undefined);
  const heldBefore = proxy.heldCount;
  const run = installation.run();
  run.catch(() => undefined); // told below
  await waitFor('the upload to be in its middle', () => acceptedParts(requests()).length === partsBefore, WATCHING);
  await waitFor('parts to be in flight', () => proxy.heldCount > heldBefore, WATCHING);
  worker.crash();
  await worker.ended;
  const stored = acceptedParts(requests());
  const second = proxy.requests.length;
  const afterwards = () => proxy.requests.slice(second);
  proxy.fault = () => undefined;

  const startMs = performance.now();
  const starting = installation.startWorker();
  await waitFor('a part of the next worker', () => acceptedParts(afterwards()).length > 0, WATCHING);
  const seconds = (performance.now() - startMs) / 1000;
  const successor = await starting;
  await run;
  const sentTwice = sentParts(afterwards()).filter((part) => stored.includes(part)).length;
  return { seconds, sentTwice, successor };
}
