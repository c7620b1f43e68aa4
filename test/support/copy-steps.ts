import { expect } from 'vitest';
import { SOON_LOST, volumeItem, type Deployment } from './deployment.js';
import { inOwnScope, ownBucket, ownDeployment, ownS3Proxy, ownVolume, type OwnTest } from './own-parts.js';
import type { LoggedRequest, S3Proxy } from './s3-proxy.js';
import { snapshotBucket, snapshotFiles, type Snapshot } from './snapshot.js';
import { expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from './watched-run.js';

/** One request of a worker to the store in its first run. */
export interface StoreStep {
  /** What it asks for: `PUT RUN/data_volume_RUN.tar.gz partNumber=2 uploadId=`. */
  text: string;
  /** The how manieth with this text in the run, from 1. */
  occurrence: number;
}

interface Scene {
  deployment: Deployment;
  proxy: S3Proxy;
  bucket: string;
}

/** What a run with a volume whose artifact goes up in two parts asks of the store, where nothing disturbs it. */
export function surveyRequests(): Promise<StoreStep[]> {
  return inOwnScope(async (scope) => {
    const { deployment, proxy } = await openScene(scope);
    const worker = await startWatchedWorker(deployment);
    const before = proxy.requests.length;
    await expectSuccess(await startRun(deployment));
    await worker.stop();
    return stepsIn(proxy.requests.slice(before));
  });
}

/** Those by which the artifact and its manifest come to the bucket. */
export function stepsOfCopy(steps: readonly StoreStep[]): StoreStep[] {
  const last = steps.findIndex(({ text }) => text === 'PUT RUN/data_volume_RUN.tar.gz.manifest.json');
  return steps.slice(0, last + 1);
}

/** Kills a worker when the store has done what it asked for and before it hears of it: another one finishes the run. */
export function surviveLostAnswer(step: StoreStep): Promise<void> {
  return inOwnScope(async (scope) => {
    const { deployment, proxy, bucket } = await openScene(scope);
    const worker = await startWatchedWorker(deployment);
    const before = proxy.requests.length;
    proxy.fault = () => {
      const { text, occurrence } = stepsIn(proxy.requests.slice(before)).at(-1) ?? {};
      const isMeant = text === step.text && occurrence === step.occurrence;
      return isMeant ? { kind: 'headers', change: () => worker.crash() } : undefined;
    };
    const run = await startRun(deployment);
    expect(await worker.ended).toEqual({ code: null, signal: 'SIGKILL' });
    proxy.fault = () => undefined;
    const stored = ofArtifact(await snapshotBucket(bucket));
    const captured = ofArtifact(await snapshotFiles(run.directory));

    await startWatchedWorker(deployment);
    await expectSuccess(run);
    expect(ofArtifact(await snapshotFiles(run.directory))).toEqual(captured);
    const objects = ofArtifact(await snapshotBucket(bucket));
    expect(objects).toMatchObject(stored);
    expect(Object.keys(objects)).toHaveLength(2); // artifact and manifest
    await expectNothingLeft(deployment, bucket);
  });
}

async function openScene(scope: OwnTest): Promise<Scene> {
  const [bucket, proxy] = [await ownBucket(), await ownS3Proxy(scope)];
  const volume = await ownVolume(scope, 'head -c 20M /dev/urandom >noise');
  const deployment = await ownDeployment(scope, {
    volumes: volumeItem('data', volume),
    s3: { bucket, endpoint: proxy.endpoint },
    settings: { ...SOON_LOST, compression_level: 1 },
  });
  return { deployment, proxy, bucket };
}

function stepsIn(requests: readonly LoggedRequest[]): StoreStep[] {
  const seen = new Map<string, number>();
  return requests.map((request) => {
    const text = textOf(request);
    const occurrence = (seen.get(text) ?? 0) + 1;
    seen.set(text, occurrence);
    return { text, occurrence };
  });
}

function textOf({ method, path, query }: LoggedRequest): string {
  const key = path.split('/').slice(2).join('/');
  const said = [...query].filter(([name]) => name !== 'x-id'); // repeats the operation's name
  const asked = said.map(([name, value]) => `${name}=${/^(partNumber|prefix)$/.test(name) ? value : ''}`);
  return [method, key, ...asked].join(' ').replaceAll(/\d{8}_\d{6}/g, 'RUN');
}

function ofArtifact(snapshot: Snapshot): Snapshot {
  return Object.fromEntries(Object.entries(snapshot).filter(([path]) => path.includes('data_volume_')));
}
