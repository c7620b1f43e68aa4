import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { restoreDirectory } from '../../src/sources/directory/restore.js';
import { captureMounted } from '../../src/sources/directory/capture.js';
import { withSelectedPaths } from '../../src/steps/select-paths.js';
import { filledDirectory, mountedAttempt } from '../support/mounted-attempt.js';
import { testDirectory } from '../support/volume-attempt.js';
import { ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';
import { walk, type WalkedFile } from '../support/walk.js';

const run = promisify(execFile);

/** Captures a directory with this content; `pick` restores parts of it into a new directory and looks at all that came. */
async function capturedDirectory(script: string, compression: 'gzip' | 'zstd' = 'gzip') {
  const origin = await filledDirectory(script);
  const attempt = await mountedAttempt(origin, { compression });
  await captureMounted(attempt);
  const root = await testDirectory();
  const step = { signal: attempt.signal, onProgress: () => undefined, log: () => undefined };
  const common = { ...attempt, artifactPath: attempt.partPath };
  const pick = async (...paths: string[]) => {
    const into = join(await testDirectory(), 'restored');
    await withSelectedPaths({ ...common, paths, root, restoreToken: '01234567' }, step, (artifactPath) =>
      restoreDirectory({ ...common, artifactPath, into }),
    );
    return walk(into);
  };
  return { origin: await walk(origin), root, pick };
}

/** Of what was captured: these paths, which is all that a restore of parts may bring. */
function those(files: readonly WalkedFile[], ...paths: string[]): WalkedFile[] {
  return files.filter(({ path }) => paths.includes(path));
}

/** Names that are no text are written in hex. */
const below = (files: readonly WalkedFile[], top: string) =>
  files
    .map(({ path }) => path)
    .filter((path) => path.startsWith(`${top}/`) || path.startsWith(`bytes:${Buffer.from(`${top}/`).toString('hex')}`));

test.each(['gzip', 'zstd'] as const)(
  'parts of an artifact in %s come with the directories above them',
  async (form) => {
    const { origin, pick, root } = await capturedDirectory(
      `${ODD_CONTENT}${ODD_RIGHTS}chmod 2770 .; chown 33:34 .`,
      form,
    );
    const names = below(origin, 'names');
    const restored = await pick('names', 'deep/a/d', 'sparse', 'capable', 'pipe', 'of-others/absolute');

    expect(restored).toEqual(
      those(
        origin,
        ...['.', 'names', ...names, 'deep', 'deep/a', 'deep/a/d', 'sparse', 'capable', 'pipe'],
        ...['of-others', 'of-others/absolute'],
      ),
    );
    expect(await readdir(root)).toEqual([]);
  },
);

test('paths are literal', async () => {
  const { origin, pick } = await capturedDirectory(ODD_CONTENT);
  const odd = ['names/-rf', 'names/new\nline', 'names/*?[a-z]', 'names/ begins and ends with a space ', 'names/...'];
  const quoted = ['names/it\'s "quoted" $(here) \\ and `there`', 'names/naïve 備份 🗄'];

  expect(await pick(...odd, ...quoted)).toEqual(those(origin, '.', 'names', ...odd, ...quoted));
  await expect(pick('names/*')).rejects.toMatchObject({ code: 'NotFound' });
});

test('a hard link comes with its content, whichever of its names are asked for', async () => {
  const script = `
mkdir -p a b c
head -c 100000 /dev/urandom >a/first; setfattr -n user.kept -v yes a/first; chmod 0640 a/first; chown 33:34 a/first
ln a/first b/second; ln a/first c/third
truncate -s 8M a/sparse; printf x | dd of=a/sparse bs=1 seek=4000000 conv=notrunc status=none; ln a/sparse c/sparse-link
ln a/first "c/$(printf 'x%.0s' {1..200})"
touch -d '2026-10-01 12:00:00.25 UTC' a b c .`;
  const { origin, pick } = await capturedDirectory(script);
  const [long = ''] = below(origin, 'c').filter((path) => path.includes('xxx'));
  const asOne = (files: WalkedFile[]) => files.map(({ sameFileAs: _, ...file }) => file);
  const same = (files: WalkedFile[]) =>
    files.filter(({ sameFileAs }) => sameFileAs !== undefined).map(({ path }) => path);

  const alone = await pick('b');
  expect(asOne(alone)).toEqual(asOne(those(origin, '.', 'b', 'b/second')));
  const both = await pick('b', 'c');
  expect(asOne(both)).toEqual(asOne(those(origin, '.', 'b', 'b/second', 'c', 'c/third', 'c/sparse-link', long)));
  expect(same(both)).toEqual(['b/second', 'c/third', long].sort());
  expect(new Set(both.filter(({ path }) => same(both).includes(path)).map(({ sameFileAs }) => sameFileAs)).size).toBe(
    1,
  );
  expect(asOne(await pick('a', 'b'))).toEqual(asOne(those(origin, '.', 'a', 'a/first', 'a/sparse', 'b', 'b/second')));
});

test('a path that is not there is told with those like it, and leaves nothing', async () => {
  const { pick, root } = await capturedDirectory(
    'mkdir -p uploads/2026; echo 1 >uploads/2026/photo.jpg; echo 2 >README',
  );

  await expect(pick('README', 'uploads/2025', 'photo.JPG')).rejects.toMatchObject({
    code: 'NotFound',
    message:
      'cannot restore parts of uploads: because the artifact has no "uploads/2025" (nor 1 more of those that were asked for)',
    hint: expect.stringContaining('such as "uploads/2026"') as string,
  });
  await expect(pick('photo.JPG')).rejects.toMatchObject({
    hint: expect.stringContaining('such as "uploads/2026/photo.jpg"') as string,
  });
  expect(await readdir(root)).toEqual([]);
});

test('a damaged archive is told, and leaves nothing', async () => {
  const { pick, root } = await capturedDirectory('echo 1 >one');
  const broken = { ...(await mountedAttempt('/none')), paths: ['one'], root, restoreToken: '01234567' };
  const directory = await testDirectory();
  await run('bash', ['-c', 'head -c 3000 /dev/urandom | gzip -c >noise.gz'], { cwd: directory });
  const step = { signal: broken.signal, onProgress: () => undefined, log: () => undefined };
  const artifactPath = join(directory, 'noise.gz');

  await expect(
    withSelectedPaths({ ...broken, artifactPath }, step, () => Promise.reject(new Error('used'))),
  ).rejects.toMatchObject({ code: 'ProgramFailed' });
  expect(await readdir(root)).toEqual([]);
  expect((await pick('one')).map(({ path }) => path)).toEqual(['.', 'one']);
});
