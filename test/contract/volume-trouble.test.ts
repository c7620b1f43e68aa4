import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { findTools } from '../../src/pipeline/tools.js';
import { captureVolume } from '../../src/sources/volume/capture.js';
import { checkVolume } from '../../src/sources/volume/check.js';
import { insideVolume, volumeExists } from '../support/docker-volume.js';
import { runScript } from '../support/run-script.js';
import { beforeDocker, recordDocker, letGo, slowHelpers, stubEnvironment } from '../support/docker-wrapper.js';
import {
  attemptAt,
  containersOf,
  createPart,
  dockerLines,
  filesBeside,
  filledVolume,
  meetInMidWrite,
  testDirectory,
  volumeName,
} from '../support/volume-attempt.js';

const run = promisify(execFile);

test('a missing volume is an error, and is not made', async () => {
  const missing = volumeName('missing');
  const attempt = await attemptAt(missing);
  const expected = {
    code: 'NotFound',
    retryable: false,
    message: `cannot capture files: because there is no volume "${missing}"`,
    hint: 'see which volumes there are: docker volume ls',
  };

  await expect(captureVolume(attempt)).rejects.toMatchObject(expected);
  await expect(checkVolume({ volumeName: missing })).rejects.toMatchObject({ code: 'NotFound' });
  expect(await volumeExists(missing)).toBe(false);
});

test.each(['-h evil', 'a:b', '../x', '../containers/json', '..', '', 'a,volume-driver=b', '$(touch x)', 'a\'b"c', 'é'])(
  'no volume is named %j, and the engine is not asked for it',
  async (hostile) => {
    const attempt = await attemptAt(hostile);
    const asked = await recordDocker('volume', 'create');

    await expect(captureVolume(attempt)).rejects.toMatchObject({
      code: 'NotFound',
      message: `cannot capture files: because there is no volume ${JSON.stringify(hostile)}`,
    });
    await expect(checkVolume({ volumeName: hostile })).rejects.toMatchObject({ code: 'NotFound' });
    expect(await asked()).toEqual([]);
  },
);

/** In `ls -U` order, in which tar reads it too, at least one file follows the large one. */
const CHANGING = `
mkdir many
head -c 40M /dev/urandom >many/large
until ls -U many | sed '1,/^large$/d' | grep -q .; do n=$(( \${n:-0} + 1 )); echo $n >many/small-$n; done
`;

test.each([
  ['grows', 'echo more >>many/large', 'tar: ./many/large: file changed as we read it'],
  ['shrinks', 'truncate -s 10M many/large', /^tar: \.\/many\/large: File shrank by \d+ bytes; padding with zeros$/],
  ['vanishes', 'rm many/small-*', /^tar: \.\/many\/small-\d+: File removed before we read it$/],
])('a file that %s while it is read is a warning that names it', async (_what, change, warning) => {
  await slowHelpers();
  const volume = await filledVolume('changing', CHANGING);
  const attempt = await attemptAt(volume, { level: 9 });
  const capture = captureVolume(attempt);
  const id = await meetInMidWrite(attempt);
  await runScript(await insideVolume(volume), change);
  await letGo(id);

  const expected = typeof warning === 'string' ? warning : (expect.stringMatching(warning) as string);
  expect((await capture).warnings).toContainEqual(expected);
});

test('a file that tar cannot read is a failure that names it', async () => {
  const volume = await filledVolume('unreadable', 'echo one >readable; echo two >unreadable');
  const place = await insideVolume(volume);
  // Nobody can read what the kernel lets root write only.
  await runScript(place, 'mount --bind /sys/bus/platform/drivers_probe unreadable');
  onTestFinished(async () => {
    await runScript(place, 'umount unreadable');
  });
  const attempt = await attemptAt(volume);

  await expect(captureVolume(attempt)).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: 'cannot capture files: because tar ended with code 2: tar: ./unreadable: Cannot open: Permission denied',
  });
  expect(await containersOf(attempt.service)).toEqual([]);
  expect(await filesBeside(attempt.partPath)).toHaveLength(1);
});

test('a tar that is killed after output is a failure', async () => {
  await slowHelpers();
  const attempt = await attemptAt(await filledVolume('large', 'head -c 40M /dev/urandom >large'), { level: 9 });
  const capture = captureVolume(attempt);
  const id = await meetInMidWrite(attempt);
  const pids = await dockerLines('top', id, '-o', 'pid,comm');
  const [tar = ''] = pids.filter((line) => line.endsWith(' tar'));
  process.kill(Number.parseInt(tar, 10), 'SIGKILL');
  await letGo(id);

  await expect(capture).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringContaining('because tar ended with code 137') as string,
  });
});

test('a full disk is DiskFull, and leaves nothing but the part', async () => {
  const small = join(await testDirectory(), 'small');
  await mkdir(small);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
  onTestFinished(() => run('umount', [small]).then(() => undefined));
  const partPath = join(small, 'files.tar.gz.token.part');
  await createPart(partPath);
  const attempt = await attemptAt(await filledVolume('noise', 'head -c 8M /dev/urandom >noise'), { partPath });

  await expect(captureVolume(attempt)).rejects.toMatchObject({
    code: 'DiskFull',
    message: `cannot capture files: because there is no space left in ${small}`,
  });
  expect(await filesBeside(partPath)).toEqual(['files.tar.gz.token.part']);
  expect(await containersOf(attempt.service)).toEqual([]);
});

test('a compressor that fails is a failure with what it said', async () => {
  const volume = await filledVolume('small', 'echo one >file');
  const attempt = await attemptAt(volume, { compression: 'zstd', level: NaN });

  await expect(captureVolume(attempt)).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringMatching(
      /^cannot capture files: because the compressor ended with code 1: .*Incorrect parameter/s,
    ) as string,
  });
  expect(await containersOf(attempt.service)).toEqual([]);
});

test('a helper that runs out of memory says so', async () => {
  await beforeDocker('create', 'shift; set -- create --memory 16m "$@"');
  const volume = await filledVolume('noise', 'head -c 40M /dev/urandom >noise');
  const attempt = await attemptAt(volume, { compression: 'zstd', level: 19 });

  await expect(captureVolume(attempt)).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: 'cannot capture files: because its helper container ran out of memory',
  });
});

test('an engine that has a directory of the same name on another machine is found out', async () => {
  const elsewhere = await testDirectory();
  const attempt = await attemptAt(await filledVolume('small', 'echo one >file'));
  const here = dirname(attempt.partPath);
  const name = basename(attempt.partPath);
  await createPart(join(elsewhere, name));
  await createPart(join(elsewhere, name.replace('.part', '.messages.part')));
  await beforeDocker('create', `set -- "\${@//source=${here.replaceAll('/', '\\/')}/source=${elsewhere}}"`);

  await expect(captureVolume(attempt)).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringContaining('did not arrive') as string,
  });
});

test('a compressor that the helper lacks is named', async () => {
  const tools = await findTools();
  const volume = await filledVolume('small', 'echo one >file');
  const attempt = await attemptAt(volume, {
    tools: { ...tools, bgzip: { path: '/opt/bgzip-of-elsewhere', version: '1' } },
  });

  await expect(captureVolume(attempt)).rejects.toMatchObject({
    code: 'ProgramMissing',
    message: expect.stringContaining('the helper image has no bgzip-of-elsewhere') as string,
  });
});

test.each(['unix:///nonexistent', 'tcp://127.0.0.1:1'])(
  'an engine that is not at %s is unreachable',
  async (address) => {
    const attempt = await attemptAt(volumeName('any'));
    stubEnvironment('DOCKER_HOST', address);
    const expected = {
      code: 'ServerUnreachable',
      retryable: true,
      message: expect.stringMatching(/^cannot reach the Docker engine: because .*/) as string,
      hint: expect.stringContaining('DOCKER_HOST') as string,
    };
    await expect(captureVolume(attempt)).rejects.toMatchObject(expected);
    await expect(checkVolume({ volumeName: attempt.volumeName })).rejects.toMatchObject(expected);
  },
);
