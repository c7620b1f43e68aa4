import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { captureMounted } from '../../src/sources/directory/capture.js';
import { checkMounted } from '../../src/sources/directory/check.js';
import { filledDirectory, heldAttempt, mountedAttempt, tarReading } from '../support/mounted-attempt.js';
import { processesUnder } from '../support/process-tree.js';
import { runScript } from '../support/run-script.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { testDirectory } from '../support/volume-attempt.js';

const programs = () => processesUnder(process.pid).filter(({ name }) => ['tar', 'bgzip'].includes(name));

test('a directory that is not there is an error that says so', async () => {
  const path = join(await testDirectory(), 'uploads');
  const expected = { code: 'NotFound', hint: 'mount the volume there, or correct `path` in its entry' };

  await expect(captureMounted(await mountedAttempt(path))).rejects.toMatchObject({
    ...expected,
    message: `cannot archive uploads: because ${path} is not there`,
  });
  await expect(checkMounted('uploads', path)).rejects.toMatchObject(expected);
});

test('something that is not a directory is refused', async () => {
  const path = join(await testDirectory(), 'uploads');
  await writeFile(path, 'one');
  const message = (what: string) => `cannot ${what} uploads: because ${path} is not a directory`;

  await expect(captureMounted(await mountedAttempt(path))).rejects.toMatchObject({ message: message('archive') });
  await expect(checkMounted('uploads', path)).rejects.toMatchObject({ message: message('use') });
});

test('a directory that holds its own artifact, by whatever name, is refused', async () => {
  const path = await filledDirectory('mkdir backups');
  const partPath = join(path, 'backups', 'uploads.tar.gz.token.part');
  await (await open(partPath, 'wx')).close();
  const link = join(await testDirectory(), 'link');
  await runScript({ directory: '/' }, `ln -s '${path}' '${link}'`);

  await expect(captureMounted(await mountedAttempt(link, { partPath }))).rejects.toMatchObject({
    code: 'ConfigInvalid',
    message: `cannot archive uploads: because ${link} holds the backup directory`,
  });
});

test('files that may not be read are a failure that names the first of them', async () => {
  // Nobody can read what the kernel lets root write only.
  const path = await filledDirectory(`
    ln -s nowhere a; for n in {10..30}; do touch secret-$n; mount --bind /sys/bus/platform/drivers_probe secret-$n; done`);
  onTestFinished(() => runScript({ directory: path }, 'umount secret-*').then(() => undefined));
  const failure = captureMounted(await mountedAttempt(path));

  await expect(failure).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringMatching(
      /^cannot archive uploads: because tar ended with code 2: (tar: \.\/secret-\d\d: Cannot open: Permission denied\n){10}\(and 11 more lines\)$/,
    ) as string,
    hint: expect.stringContaining('CAP_DAC_READ_SEARCH') as string,
  });
  expect(programs()).toEqual([]);
});

test.each([
  ['another directory', (path: string) => rename(path, `${path}.away`).then(() => mkdir(path))],
  ['another file system', (path: string, test: Parameters<typeof mountSmallDisk>[0]) => mountSmallDisk(test, path, 1)],
  ['nothing', (path: string) => rename(path, `${path}.away`)],
])('a volume in whose place %s is found at the end is a failure', async (_what, swap) => {
  const path = await filledDirectory('head -c 4M /dev/urandom >large');
  const attempt = await heldAttempt(path);
  const failure = expect(captureMounted(attempt)).rejects.toThrow(
    /^cannot archive uploads: because (something else was mounted at \S+ meanwhile|\S+ is not there)$/,
  );
  await tarReading('/large');
  await swap(path, { onTestFinished });
  await attempt.gate.open();

  await failure;
});

test('a tar that is killed after output is a failure', async () => {
  const attempt = await heldAttempt(await filledDirectory('head -c 4M /dev/urandom >large'));
  const failure = expect(captureMounted(attempt)).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: 'cannot archive uploads: because tar was ended by SIGKILL',
  });
  process.kill(await tarReading('/large'), 'SIGKILL');
  await attempt.gate.open();

  await failure;
});

test('an aborted capture ends its programs before it settles', async () => {
  const stop = new AbortController();
  const attempt = await heldAttempt(await filledDirectory('head -c 4M /dev/urandom >large'), { signal: stop.signal });
  const failure = expect(captureMounted(attempt)).rejects.toMatchObject({ code: 'Cancelled' });
  await tarReading('/large');
  stop.abort();

  await failure;
  expect(programs()).toEqual([]);
});

test('a full disk is DiskFull, and ends the programs', async () => {
  const small = await testDirectory();
  await mountSmallDisk({ onTestFinished }, small, 1);
  const partPath = join(small, 'uploads.tar.gz.token.part');
  await (await open(partPath, 'wx')).close();
  const attempt = await mountedAttempt(await filledDirectory('head -c 8M /dev/urandom >noise'), { partPath });

  await expect(captureMounted(attempt)).rejects.toMatchObject({ code: 'DiskFull' });
  expect(programs()).toEqual([]);
});

test('a compressor that fails is a failure with what it said', async () => {
  const path = await filledDirectory('head -c 4M /dev/urandom >noise');
  const failure = captureMounted(await mountedAttempt(path, { compression: 'zstd', level: NaN }));

  await expect(failure).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringMatching(
      /^cannot archive uploads: because zstd ended with code 1: .*Incorrect param/s,
    ) as string,
  });
});

test("a tar that is not GNU's is refused", async () => {
  const attempt = await mountedAttempt(await filledDirectory('echo one >file'));
  const tar = { path: '/bin/busybox-tar', version: '1.36', isGnu: false };

  await expect(captureMounted({ ...attempt, tools: { ...attempt.tools, tar } })).rejects.toMatchObject({
    code: 'ProgramMissing',
    message: 'cannot archive with /bin/busybox-tar: because it is not GNU tar',
  });
});
