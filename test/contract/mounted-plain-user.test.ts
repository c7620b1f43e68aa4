import { chmod, chown, mkdir, readdir, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { restoreDirectory } from '../../src/sources/directory/restore.js';
import { captureMounted } from '../../src/sources/directory/capture.js';
import { checkMounted } from '../../src/sources/directory/check.js';
import { filledDirectory, mountedAttempt } from '../support/mounted-attempt.js';
import { plainUser } from '../support/plain-user.js';
import { testDirectory } from '../support/volume-attempt.js';
import { walk, type WalkedFile } from '../support/walk.js';

/** Does `work` with the rights of a plain user; where the tests are not root they have no others. */
async function asPlainUser<T>(work: (uid: number) => Promise<T>): Promise<T> {
  const user = await plainUser();
  if (user === undefined) return work(process.getuid?.() ?? 0);
  process.seteuid?.(user.uid);
  try {
    return await work(user.uid);
  } finally {
    process.seteuid?.(0);
  }
}

/** A directory that is the plain user's. */
async function ownDirectory(): Promise<string> {
  const directory = await testDirectory();
  const user = await plainUser();
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  return directory;
}

const CLOSED =
  'mkdir -p shut/below; head -c 4M /dev/urandom >shut/below/noise; chmod 0500 shut shut/below; chmod 0750 .';

test('files that a plain user may not read are a failure that names them, never a hole', async () => {
  const path = await filledDirectory('echo one >readable; echo two >secret; chmod 0600 secret; mkdir -m 0700 shut');
  const attempt = await mountedAttempt(path);
  await chmod(dirname(path), 0o755);
  await chmod(dirname(attempt.partPath), 0o777);
  await chmod(attempt.partPath, 0o666);

  await expect(asPlainUser(() => captureMounted(attempt))).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringMatching(/tar: \.\/secret: Cannot open: Permission denied/) as string,
    hint: expect.stringContaining('CAP_DAC_READ_SEARCH') as string,
  });
  await chmod(path, 0o700);
  await expect(asPlainUser(() => captureMounted(attempt))).rejects.toThrow('Permission denied');
  expect(await checkMounted('uploads', path)).toEqual({ isEmpty: false });
});

test('what a plain user restores is his, closed directories too, and a warning says so', async () => {
  const path = await filledDirectory(`${CLOSED}; echo owned >owned; chown 12345:54321 owned`);
  const attempt = await mountedAttempt(path);
  await captureMounted(attempt);
  await chmod(dirname(attempt.partPath), 0o755);
  await chmod(attempt.partPath, 0o644);
  const into = join(await ownDirectory(), 'restored');

  const { uid, warnings } = await asPlainUser(async (uid) => ({
    uid,
    ...(await restoreDirectory({ ...attempt, into, artifactPath: attempt.partPath })),
  }));
  expect(warnings).toEqual([
    expect.stringContaining(`this user is not root: every file belongs to the user id ${String(uid)} now`),
  ]);
  const withoutOwners = (files: WalkedFile[]) => files.map((file) => ({ ...file, uid, gid: 0 }));
  expect((await walk(into)).map((file) => file.uid)).toEqual((await walk(path)).map(() => uid));
  expect(withoutOwners(await walk(into))).toEqual(withoutOwners(await walk(path)));
});

test.each(['beside', 'within'])('what a plain user cannot finish %s is removed, closed as it is', async (where) => {
  const attempt = await mountedAttempt(await filledDirectory(`${CLOSED}; mkdir late; head -c 4M /dev/urandom >zz`));
  await captureMounted(attempt);
  await chmod(dirname(attempt.partPath), 0o755);
  await chmod(attempt.partPath, 0o644);
  await truncate(attempt.partPath, 7_900_000);
  const parent = await ownDirectory();
  const into = join(parent, 'restored');
  if (where === 'within') {
    await mkdir(into);
    const user = await plainUser();
    if (user !== undefined) await chown(into, user.uid, user.gid);
    await chmod(parent, 0o555);
    if (user !== undefined) await chown(parent, 0, 0); // nothing can be made beside it
  }

  const restoring = asPlainUser(() => restoreDirectory({ ...attempt, into, artifactPath: attempt.partPath }));
  await expect(restoring).rejects.toMatchObject({ code: 'ProgramFailed' });
  expect(await readdir(parent)).toEqual(where === 'within' ? ['restored'] : []);
  if (where === 'within') expect(await readdir(into)).toEqual([]);
});
