import { randomBytes } from 'node:crypto';
import { appendFile, copyFile, mkdir, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { restoreDirectory, type DirectoryRestoreInput } from '../../src/sources/directory/restore.js';
import { captureMounted } from '../../src/sources/directory/capture.js';
import { gateBefore } from '../support/gate.js';
import { filledDirectory, mountedAttempt } from '../support/mounted-attempt.js';
import { processesUnder } from '../support/process-tree.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { testDirectory } from '../support/volume-attempt.js';
import { ODD_CONTENT } from '../support/volume-content.js';
import { waitFor } from '../support/wait-for.js';
import { walk } from '../support/walk.js';

/** What restores a captured directory with this content into one that is not there yet. */
async function restoreOf(script: string): Promise<DirectoryRestoreInput & { origin: string; positions: number[] }> {
  const origin = await filledDirectory(script);
  const attempt = await mountedAttempt(origin);
  await captureMounted(attempt);
  const positions: number[] = [];
  const onProgress = (bytesRead: number) => positions.push(bytesRead);
  const into = join(await testDirectory(), 'restored');
  return { ...attempt, origin, artifactPath: attempt.partPath, into, onProgress, positions };
}

const beside = ({ into }: DirectoryRestoreInput) => readdir(dirname(into));

test('an empty directory is filled, and gets the owner and mode that the archive has', async () => {
  const restore = await restoreOf('echo one >file; chown 33:33 . file; chmod 2750 .');
  await mkdir(restore.into);
  await restoreDirectory(restore);

  expect(await walk(restore.into)).toEqual(await walk(restore.origin));
  expect(await beside(restore)).toEqual(['restored']);
});

test('an empty mount point is filled where it is', async () => {
  const restore = await restoreOf(ODD_CONTENT.replace('truncate -s 32M sparse', ': >sparse'));
  await mkdir(restore.into);
  await mountSmallDisk({ onTestFinished }, restore.into, 64);
  const { dev } = await stat(restore.into);
  await restoreDirectory(restore);

  expect((await stat(restore.into)).dev).toBe(dev);
  const withoutXattrs = (files: Awaited<ReturnType<typeof walk>>) => files.map((file) => ({ ...file, xattrs: {} }));
  expect(withoutXattrs(await walk(restore.into))).toEqual(withoutXattrs(await walk(restore.origin)));
});

test.each([
  ['everything', async () => Promise.resolve('/')],
  ['a directory that is not empty', () => filledDirectory('echo mine >mine')],
  ['a file', async () => join(await filledDirectory('echo mine >mine'), 'mine')],
  [
    'a symbolic link to nowhere',
    async () => {
      const link = join(await testDirectory(), 'link');
      await symlink('nowhere', link);
      return link;
    },
  ],
])('%s is a conflict, and stays as it is', async (_what, placeOf) => {
  const restore = await restoreOf('echo one >file');
  const into = await placeOf();
  const around = into === '/' ? undefined : await walk(dirname(into));

  await expect(restoreDirectory({ ...restore, into })).rejects.toMatchObject({
    code: 'Conflict',
    message: expect.stringContaining(`cannot restore uploads into the directory ${into}: because `) as string,
    hint: expect.stringContaining('--into') as string,
  });
  if (around !== undefined) expect(await walk(dirname(into))).toEqual(around);
});

test('a directory without a parent is not made', async () => {
  const restore = await restoreOf('echo one >file');
  const into = join(restore.into, 'below');

  await expect(restoreDirectory({ ...restore, into })).rejects.toMatchObject({
    code: 'NotFound',
    hint: `make it first: mkdir -p ${restore.into}`,
  });
  expect(await beside(restore)).toEqual([]);
});

test.each([
  ['is cut off', (path: string) => truncate(path, 3_000_000)],
  ['is not compressed', (path: string) => writeFile(path, randomBytes(5000))],
  ['holds no archive', (path: string) => writeFile(path, gzipSync(randomBytes(50_000)))],
  ['goes on after its end', (path: string) => appendFile(path, 'something else')],
  ['is empty', (path: string) => truncate(path, 0)],
])('an artifact that %s makes no directory, and leaves an empty one as it was', async (_what, damage) => {
  const restore = await restoreOf('mkdir closed; head -c 4M /dev/urandom >closed/noise; chmod 0500 . closed');
  const artifactPath = join(await testDirectory(), 'damaged.tar.gz');
  await copyFile(restore.artifactPath, artifactPath);
  await damage(artifactPath);
  await expect(restoreDirectory({ ...restore, artifactPath })).rejects.toMatchObject({ code: 'ProgramFailed' });
  expect(await beside(restore)).toEqual([]);

  await mkdir(restore.into);
  await mountSmallDisk({ onTestFinished }, restore.into, 16);
  const { mode, uid } = await stat(restore.into);
  await expect(restoreDirectory({ ...restore, artifactPath })).rejects.toMatchObject({ code: 'ProgramFailed' });
  expect(await readdir(restore.into)).toEqual([]);
  expect(await stat(restore.into)).toMatchObject({ mode, uid });
});

test('an artifact that goes on where its reader stops content is refused, and leaves nothing', async () => {
  const restore = await restoreOf('echo one >file');
  await appendFile(restore.artifactPath, randomBytes(1024 * 1024));
  const { bgzip: _bgzip, ...tools } = restore.tools;
  const pigz = tools.pigz ?? expect.fail('pigz is not there');
  await expect(restoreDirectory({ ...restore, tools: { ...tools, gzip: pigz } })).rejects.toThrow(
    'because more follows the end of its compressed data',
  );
  expect(await beside(restore)).toEqual([]);
});

test('an aborted restore leaves neither programs nor files', async () => {
  const restore = await restoreOf('head -c 4M /dev/urandom >noise');
  const directory = await testDirectory();
  const gate = await gateBefore({ real: restore.tools.tar?.path ?? '', directory, name: 'tar' });
  const stop = new AbortController();
  const tools = { ...restore.tools, tar: { path: gate.path, version: '1', isGnu: true } };
  const failure = expect(restoreDirectory({ ...restore, tools, signal: stop.signal })).rejects.toMatchObject({
    code: 'Cancelled',
  });
  await waitFor('a directory to be made', async () => (await beside(restore)).length === 1);
  stop.abort();

  await failure;
  expect(await beside(restore)).toEqual([]);
  expect(processesUnder(process.pid).filter(({ name }) => ['tar', 'bgzip'].includes(name))).toEqual([]);
});

test('a restore without room is DiskFull, and leaves the directory empty', async () => {
  const restore = await restoreOf('head -c 8M /dev/urandom >noise');
  await mkdir(restore.into);
  await mountSmallDisk({ onTestFinished }, restore.into, 1);

  await expect(restoreDirectory(restore)).rejects.toMatchObject({ code: 'DiskFull' });
  expect(await readdir(restore.into)).toEqual([]);
});

test('a restore tells how far it has read, to the end', async () => {
  const restore = await restoreOf('head -c 4M /dev/urandom >noise');
  await restoreDirectory(restore);

  expect(restore.positions.length).toBeGreaterThan(1);
  expect(restore.positions).toEqual([...restore.positions].sort((one, other) => one - other));
  expect(restore.positions.at(-1)).toBe((await stat(restore.artifactPath)).size);
});
