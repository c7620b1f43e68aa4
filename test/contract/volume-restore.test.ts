import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, copyFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { captureVolume, removeAttempts } from '../../src/sources/volume/capture.js';
import { restoreVolume, type VolumeRestoreInput } from '../../src/sources/volume/restore.js';
import { insideVolume, volumeExists } from '../support/docker-volume.js';
import { beforeDocker, letGo, recordDocker, slowHelpers } from '../support/docker-wrapper.js';
import { attemptAt, containersOf, filledVolume, testDirectory, volumeName } from '../support/volume-attempt.js';
import { waitFor } from '../support/wait-for.js';
import { walk } from '../support/walk.js';

const run = promisify(execFile);

/** What restores a captured volume with this content into a volume that is not there yet. */
async function restoreOf(script: string): Promise<VolumeRestoreInput & { volume: string; positions: number[] }> {
  const volume = await filledVolume('origin', script);
  const attempt = await attemptAt(volume);
  await captureVolume(attempt);
  const positions: number[] = [];
  const onProgress = (bytesRead: number) => positions.push(bytesRead);
  return { ...attempt, volume, artifactPath: attempt.partPath, into: volumeName('restored'), onProgress, positions };
}

test('an artifact that pigz or gzip wrote is restored', async () => {
  const directory = await testDirectory();
  await run(
    'bash',
    ['-c', 'echo one >file; tar -cf - file | pigz -c >pigz.tar.gz; tar -cf - file | gzip -c >gzip.tar.gz'],
    { cwd: directory },
  );
  for (const name of ['pigz.tar.gz', 'gzip.tar.gz']) {
    const into = volumeName('restored');
    await restoreVolume({ ...(await attemptAt('any')), into, artifactPath: join(directory, name) });
    expect((await walk(await insideVolume(into))).map(({ path }) => path)).toEqual(['.', 'file']);
  }
});

test('a volume that exists is a conflict, and stays as it is', async () => {
  const restore = await restoreOf('echo one >file');
  const before = await walk(await insideVolume(restore.volume));
  await beforeDocker('volume create', 'exit 1'); // nor is the engine asked to make it

  await expect(restoreVolume({ ...restore, into: restore.volume })).rejects.toMatchObject({
    code: 'Conflict',
    message: `cannot restore files into the volume "${restore.volume}": because it exists`,
    hint: expect.stringContaining('--into') as string,
  });
  expect(await walk(await insideVolume(restore.volume))).toEqual(before);
});

test('of two restores into one name one is a conflict, and the other is whole', async () => {
  const restore = await restoreOf('for n in {1..200}; do echo $n >$n; done');
  const other = { ...restore, attemptToken: 'ffffffffffff' };
  const settled = await Promise.allSettled([restoreVolume(restore), restoreVolume(other)]);

  expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(settled.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'Conflict' } });
  expect(await walk(await insideVolume(restore.into))).toEqual(await walk(await insideVolume(restore.volume)));
});

test.each(['-h evil', 'a:b', '../x', '', 'a,b=c'])('no volume is made with the name %j', async (into) => {
  const asked = await recordDocker('volume', 'create');

  await expect(restoreVolume({ ...(await attemptAt('any')), into, artifactPath: '/dev/null' })).rejects.toMatchObject({
    code: 'ConfigInvalid',
  });
  expect(await asked()).toEqual([]);
});

test.each([
  ['is cut off', (path: string) => truncate(path, 3_000_000)],
  ['is not compressed', (path: string) => writeFile(path, randomBytes(5000))],
  ['holds no archive', (path: string) => writeFile(path, gzipSync(randomBytes(50_000)))],
  ['goes on after its end', (path: string) => appendFile(path, 'something else')],
  ['is empty', (path: string) => truncate(path, 0)],
])('an artifact that %s makes no volume', async (_what, damage) => {
  const restore = await restoreOf('head -c 4M /dev/urandom >noise');
  const artifactPath = join(await testDirectory(), 'damaged.tar.gz');
  await copyFile(restore.artifactPath, artifactPath);
  await damage(artifactPath);

  await expect(restoreVolume({ ...restore, artifactPath })).rejects.toMatchObject({ code: 'ProgramFailed' });
  expect(await volumeExists(restore.into)).toBe(false);
  expect(await containersOf(restore.service)).toEqual([]);
});

/** Waits until the restore's helper runs and has made the first file. */
async function meetInMidRestore({ service, into }: VolumeRestoreInput): Promise<string> {
  await waitFor('a file to be restored', async () => (await walk(await insideVolume(into))).length > 1);
  const [id = ''] = await containersOf(service);
  return id;
}

test('an aborted restore leaves neither container nor volume', async () => {
  const restore = await restoreOf('for n in {1..20}; do head -c 2M /dev/urandom >$n; done');
  await slowHelpers();
  const stop = new AbortController();
  const restoring = restoreVolume({ ...restore, signal: stop.signal });
  const failure = expect(restoring).rejects.toMatchObject({ code: 'Cancelled' });
  await meetInMidRestore(restore);
  stop.abort();

  await failure;
  expect(await volumeExists(restore.into)).toBe(false);
  expect(await containersOf(restore.service)).toEqual([]);
});

test('a volume that another restore is filling is told as that, and a capture does not end it', async () => {
  const restore = await restoreOf('for n in {1..20}; do head -c 2M /dev/urandom >$n; done');
  await slowHelpers();
  const restoring = restoreVolume(restore);
  const id = await meetInMidRestore(restore);

  await expect(restoreVolume(restore)).rejects.toMatchObject({
    code: 'Conflict',
    hint: expect.stringContaining(`docker rm --force ${id} && docker volume rm ${restore.into}`) as string,
  });
  expect(await removeAttempts({ service: restore.service, target: restore.target })).toBe(0);
  await letGo(id);
  await restoring;
  expect(await walk(await insideVolume(restore.into))).toEqual(await walk(await insideVolume(restore.volume)));
});

test('a restore tells how far it has read, to the end', async () => {
  const restore = await restoreOf('head -c 40M /dev/urandom >noise');
  await slowHelpers(0.02);
  const restoring = restoreVolume(restore);
  await waitFor('a position', () => restore.positions.length > 0);
  await letGo((await containersOf(restore.service))[0] ?? '');
  await restoring;

  expect(restore.positions.length).toBeGreaterThan(1);
  expect(restore.positions).toEqual([...restore.positions].sort((one, other) => one - other));
  expect(restore.positions.at(-1)).toBe((await stat(restore.artifactPath)).size);
});

test('a restore without room is DiskFull, and leaves no volume', async () => {
  const restore = await restoreOf('head -c 8M /dev/urandom >noise');
  const small = 'shift 2; set -- volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=4m "$@"';
  await beforeDocker('volume create', small);

  await expect(restoreVolume(restore)).rejects.toMatchObject({
    code: 'DiskFull',
    message: `cannot restore files into the volume "${restore.into}": because there is no space left where the engine keeps volumes`,
  });
  expect(await volumeExists(restore.into)).toBe(false);
});

test('a decompressor that fails after all is written is a failure too', async () => {
  const directory = await testDirectory();
  const script = 'echo one >file; tar -cf - file | zstd -q -c >archive; echo something else >>archive';
  await run('bash', ['-c', script], { cwd: directory });
  const into = volumeName('restored');
  const artifactPath = join(directory, 'archive');

  await expect(
    restoreVolume({ ...(await attemptAt('any')), compression: 'zstd', into, artifactPath }),
  ).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringContaining('decompressor ended with code 1, tar with code 0') as string,
  });
  expect(await volumeExists(into)).toBe(false);
});
