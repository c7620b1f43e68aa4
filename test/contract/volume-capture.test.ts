import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { captureVolume } from '../../src/sources/volume/capture.js';
import { restoreVolume } from '../../src/sources/volume/restore.js';
import { insideVolume } from '../support/docker-volume.js';
import { letGo, slowHelpers } from '../support/docker-wrapper.js';
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
import { ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';
import { waitFor } from '../support/wait-for.js';
import { walk, type WalkedFile } from '../support/walk.js';

const run = promisify(execFile);

const EVERYTHING = ['--xattrs', '--xattrs-include=*', '--acls'];

async function untar(archive: string, options: readonly string[]): Promise<WalkedFile[]> {
  const directory = join(await testDirectory(), 'restored');
  await mkdir(directory);
  await run('tar', [...options, '-xzf', archive], { cwd: directory });
  return walk(directory);
}

function withoutXattrs(files: WalkedFile[]): WalkedFile[] {
  return files.map((file) => ({ ...file, xattrs: {} }));
}

test.each(['gzip', 'zstd'] as const)(
  'a volume captured with %s and restored is the same, file by file',
  async (compression) => {
    const volume = await filledVolume('odd', ODD_CONTENT + ODD_RIGHTS);
    const attempt = await attemptAt(volume, { compression, level: 3 });
    const captured = await captureVolume(attempt);

    expect(captured).toEqual({
      source: { kind: 'volume', host: 'default', volume },
      programs: {
        tar: expect.stringMatching(/^\d+\.\d+/) as string,
        [compression === 'zstd' ? 'zstd' : 'bgzip']: expect.stringMatching(/^\d+\.\d+/) as string,
      },
      warnings: [],
    });
    const into = volumeName('restored');
    expect(await restoreVolume({ ...attempt, into, artifactPath: attempt.partPath })).toEqual({ warnings: [] });
    expect(await walk(await insideVolume(into))).toEqual(await walk(await insideVolume(volume)));
    expect(await containersOf(attempt.service)).toEqual([]);
    expect(await filesBeside(attempt.partPath)).toEqual([basename(attempt.partPath)]);
  },
);

test('a stock tar restores a captured volume', async () => {
  const volume = await filledVolume('odd', ODD_CONTENT + ODD_RIGHTS);
  const attempt = await attemptAt(volume);
  await captureVolume(attempt);
  const origin = await walk(await insideVolume(volume));

  expect(await untar(attempt.partPath, EVERYTHING)).toEqual(origin);
  expect(withoutXattrs(await untar(attempt.partPath, []))).toEqual(withoutXattrs(origin));
});

test('a part of another user is written through its group, and restored', async () => {
  const attempt = await attemptAt(await filledVolume('small', 'echo one >file'));
  await chown(attempt.partPath, 4321, 8765);
  await captureVolume(attempt);

  expect(await stat(attempt.partPath)).toMatchObject({ uid: 4321, gid: 8765 });
  expect((await untar(attempt.partPath, [])).map(({ path }) => path)).toEqual(['.', 'file']);
  await chmod(attempt.partPath, 0o600);
  const into = volumeName('restored');
  await restoreVolume({ ...attempt, into, artifactPath: attempt.partPath });
  expect((await walk(await insideVolume(into))).map(({ path }) => path)).toEqual(['.', 'file']);
});

test('an anonymous volume outlives its capture', async () => {
  const [volume = ''] = await dockerLines('volume', 'create');
  onTestFinished(() => run('docker', ['volume', 'rm', '--force', volume]).then(() => undefined));
  await captureVolume(await attemptAt(volume));

  expect(await dockerLines('volume', 'ls', '--quiet')).toContain(volume);
});

test('a directory with commas and quotes in its name can hold the part', async () => {
  const directory = join(await testDirectory(), 'a,b "c":d');
  await mkdir(directory);
  const partPath = join(directory, 'files.tar.gz.token.part');
  await createPart(partPath);
  await captureVolume(await attemptAt(await filledVolume('small', 'echo one >file'), { partPath }));

  expect((await untar(partPath, [])).map(({ path }) => path)).toEqual(['.', 'file']);
});

test('a socket is left out with a warning that names it', async () => {
  const program = 'const s = require("net").createServer().listen("naïve socket", () => process.exit())';
  const volume = await filledVolume('socket', `'${process.execPath}' -e '${program}'`);
  const attempt = await attemptAt(volume);

  // Node removes its socket in a regular end only.
  expect((await captureVolume(attempt)).warnings).toEqual(['tar: ./naïve socket: socket ignored']);
});

test('the data directory of a running PostgreSQL server is warned about', async () => {
  const volume = await filledVolume(
    'live',
    'mkdir -p 18/docker old; touch 18/docker/{PG_VERSION,postmaster.pid} old/PG_VERSION',
  );
  const { warnings } = await captureVolume(await attemptAt(volume));

  expect(warnings).toEqual([
    expect.stringMatching(/^\.\/18\/docker\/ looks like .* make the database a target of its own$/),
  ]);
});

test('the part says how much was written when it grew', async () => {
  await slowHelpers(0.02);
  const attempt = await attemptAt(await filledVolume('large', 'head -c 40M /dev/urandom >noise'));
  const capture = captureVolume(attempt);
  await waitFor('two sizes', () => attempt.sizes.length > 1);
  await letGo(await meetInMidWrite(attempt));
  await capture;

  expect(attempt.sizes).toEqual([...new Set(attempt.sizes)].sort((one, other) => one - other));
  expect(attempt.sizes[0]).toBeGreaterThan(0);
  expect(attempt.sizes.at(-1)).toBeLessThanOrEqual((await stat(attempt.partPath)).size);
});
