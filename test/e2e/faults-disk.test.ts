import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { databaseItem, volumeItem, type Deployment } from '../support/deployment.js';
import { insideVolume } from '../support/docker-volume.js';
import { ownDatabase, ownDeployment, ownVolume } from '../support/own-parts.js';
import { runScript } from '../support/run-script.js';
import { psql } from '../support/shared-postgres.js';
import { fillDisk, mountSmallDisk } from '../support/small-disk.js';
import { filesIn, snapshotFiles } from '../support/snapshot.js';
import { expectNothingLeft, startWatchedWorker } from '../support/watched-run.js';

const run = promisify(execFile);
const SIZE_MIB = 6;

async function backUp(deployment: Deployment): Promise<RunReport & { code: number | null }> {
  const { code, json } = await deployment.backupctl(['run', '--json']);
  return { ...(json as RunReport), code };
}

it('a disk that gets full fails what does not fit on it, and nothing else', async (test) => {
  const [large, small] = [await ownDatabase(test), await ownDatabase(test)];
  const volume = await ownVolume(test, 'echo one >one');
  const databases = `${databaseItem('large', large)}\n${databaseItem('small', small)}`;
  const settings = { attempts: 2, max_parallel: 1 };
  const deployment = await ownDeployment(test, { databases, volumes: volumeItem('files', volume), settings });
  const { backupDir } = deployment;
  await mountSmallDisk(test, backupDir, SIZE_MIB);
  await startWatchedWorker(deployment);
  const first = await backUp(deployment);
  expect(first).toMatchObject({ code: 0, outcome: 'succeeded' });
  const old = await snapshotFiles(join(backupDir, first.run));

  await psql(large, `INSERT INTO rings SELECT n, md5(n::text) || md5((-n)::text) FROM generate_series(1, 300000) n`);
  await runScript(await insideVolume(volume), `head -c ${String(SIZE_MIB + 2)}M /dev/urandom >noise`);
  const { code, outcome, targets, run: id } = await backUp(deployment);
  expect({ code, outcome }).toEqual({ code: 3, outcome: 'partial' });
  const [ofLarge, ofSmall, ofFiles] = targets;
  expect(ofLarge).toMatchObject({ target: 'large', outcome: 'failed' });
  expect(ofLarge?.error).toMatch(/^cannot write \/.*\.part: because the disk is full\nHINT: free some space/);
  expect(ofSmall).toMatchObject({ target: 'small', outcome: 'succeeded' });
  expect(ofFiles).toMatchObject({ target: 'files', outcome: 'failed' });
  expect(ofFiles?.error).toMatch(/^cannot capture files: because there is no space left in \/.*\nHINT: free some/);
  const ofThis = `small_${id}.sql.gz`;
  expect(await readdir(join(backupDir, id))).toEqual(
    expect.arrayContaining(['run.json', 'SHA256SUMS', ofThis, `${ofThis}.manifest.json`]),
  );
  await expectNothingLeft(deployment);
  expect(await snapshotFiles(join(backupDir, first.run))).toEqual(old);
  await run('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: join(backupDir, first.run) });

  // What makes room has to work where there is none.
  await deployment.configure({ settings: { ...settings, retention_count: 1 } });
  await fillDisk(backupDir);
  const pruned = await deployment.backupctl(['prune']);
  expect({ code: pruned.code, stderr: pruned.code === 0 ? '' : pruned.stderr }).toEqual({ code: 0, stderr: '' });
  const isArtifact = (path: string) => path.endsWith('.gz');
  expect((await filesIn(backupDir)).filter(isArtifact)).toEqual([
    `${first.run}/files_volume_${first.run}.tar.gz`,
    `${first.run}/large_${first.run}.sql.gz`,
    `${id}/${ofThis}`,
  ]);
  await run('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: join(backupDir, first.run) });
});
