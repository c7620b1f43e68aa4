import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunRecord, RunReport } from '../../src/domain/run.js';
import { databaseItem, volumeItem, type Deployment } from '../support/deployment.js';
import { ownDatabase, ownDeployment, ownVolume } from '../support/own-parts.js';
import { ownStore, type OwnStore } from '../support/own-store.js';
import { acceptedParts, isBegin, isPart, partNumber } from '../support/s3-proxy.js';
import { filesIn, snapshotFiles } from '../support/snapshot.js';
import { waitFor } from '../support/wait-for.js';
import { committed, expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';

/** Waits until somebody asked and got no answer. */
async function missed({ proxy }: OwnStore): Promise<void> {
  const before = proxy.requests.length;
  await waitFor('a request in vain', () => proxy.requests.slice(before).some(({ status }) => status === 0));
}

describe.concurrent('an S3 server that is away', () => {
  it('before and in mid-upload is waited for, without another dump', async (test) => {
    const store = await ownStore(test);
    const volume = await ownVolume(test, 'head -c 34M /dev/urandom >noise'); // three parts, the last one small
    const deployment = await ownDeployment(test, {
      volumes: volumeItem('files', volume),
      s3: { bucket: store.bucket, endpoint: store.proxy.endpoint },
      settings: { compression_level: 1 },
    });
    const worker = await startWatchedWorker(deployment);
    await store.server.kill();
    const run = await startRun(deployment);
    const manifest = await committed(run, 'files');
    const captured = await snapshotFiles(run.directory);
    await missed(store);

    store.proxy.fault = (request) => (isPart(request) && partNumber(request) > 1 ? { kind: 'hold' } : undefined);
    await store.restart();
    await waitFor('the upload to be in its middle', () => acceptedParts(store.proxy.requests).length === 1);
    await waitFor('the other parts to be on their way', () => store.proxy.heldCount === 2);
    await store.server.kill();
    store.proxy.release();
    await missed(store);
    await store.restart();
    await expectSuccess(run);

    const { name } = manifest.artifact;
    expect(await committed(run, 'files')).toEqual(manifest);
    expect(await snapshotFiles(run.directory)).toMatchObject({ [name]: captured[name] });
    expect(acceptedParts(store.proxy.requests).sort()).toEqual([1, 2, 3]);
    expect(store.proxy.requests.filter((request) => isBegin(request) && request.status === 200)).toHaveLength(1);
    expect(await readFile(worker.logFile, 'utf8')).toMatch(/the store at \S+ does not answer/);
    expect(await store.keys()).toContain(`${run.id}/${name}`);
    expect(await store.openUploads()).toEqual([]);
    await expectNothingLeft(deployment);
  });

  it('for three runs fails each by name, and the fourth leaves no hole', async (test) => {
    const store = await ownStore(test);
    const [one, other] = [await ownDatabase(test), await ownDatabase(test)];
    const deployment = await ownDeployment(test, {
      databases: `${databaseItem('mordor', one)}\n${databaseItem('gondor', other)}`,
      s3: { bucket: store.bucket, endpoint: store.proxy.endpoint },
      settings: { copy_retry_for: '1s', retention_count: 4 },
    });
    await startWatchedWorker(deployment);
    const runs: string[] = [];
    const night = async (code: number) => {
      const { json, ...ended } = await deployment.backupctl(['run', '--json']);
      expect({ code: ended.code, stderr: ended.code === code ? '' : ended.stderr }).toEqual({ code, stderr: '' });
      runs.push((json as RunReport).run);
      return json as RunReport;
    };
    await night(0);

    await store.server.kill();
    for (let nights = 0; nights < 3; nights++) {
      const { run, outcome, targets } = await night(1);
      expect(outcome).toBe('failed');
      for (const { target, ...result } of targets) {
        expect(result).toMatchObject({ outcome: 'failed', artifact: `${target}_${run}.sql.gz` });
        expect(result.error).toMatch(/^cannot copy \w+ to s3: because no byte was accepted for 1 s: .*\nHINT: /);
        expect(result.error).toContain(store.proxy.endpoint);
      }
    }
    await store.restart();
    store.proxy.requests.length = 0;
    await night(0);

    const [first = '', ...kept] = runs;
    const artifacts = kept.flatMap((run) => [`${run}/gondor_${run}.sql.gz`, `${run}/mordor_${run}.sql.gz`]);
    const isArtifact = (path: string) => path.endsWith('.gz');
    expect((await store.keys()).filter(isArtifact)).toEqual(artifacts);
    expect((await filesIn(deployment.backupDir)).filter(isArtifact)).toEqual(artifacts);
    for (const artifact of artifacts) expectManifestLast(store, artifact);
    expect(await store.keys()).toEqual((await filesIn(deployment.backupDir)).filter(isCopied));
    expect((await store.keys()).filter((key) => key.startsWith(first))).toEqual([]);
    for (const run of kept) await expectSameRecords(deployment, store, run);
  });
});

/** All but what belongs to the directory alone. */
function isCopied(path: string): boolean {
  return !path.startsWith('logs/') && path !== '.backup-dir.json';
}

function expectManifestLast({ proxy, bucket }: OwnStore, artifact: string): void {
  const puts = proxy.requests.filter(({ method, status }) => method === 'PUT' && status === 200);
  const ofIt = puts.map(({ path }) => path).filter((path) => path.startsWith(`/${bucket}/${artifact}`));
  expect(ofIt).toEqual([`/${bucket}/${artifact}`, `/${bucket}/${artifact}.manifest.json`]);
}

async function expectSameRecords({ backupDir }: Deployment, store: OwnStore, run: string): Promise<void> {
  for (const name of ['run.json', 'SHA256SUMS']) {
    expect(await store.read(`${run}/${name}`)).toBe(await readFile(join(backupDir, run, name), 'utf8'));
  }
  expect((JSON.parse(await store.read(`${run}/run.json`)) as RunRecord).targets).toHaveLength(2);
}
