import { expect, onTestFinished, test } from 'vitest';
import { createVolume, insideVolume, removeVolume, volumeExists } from '../support/docker-volume.js';
import { runScript } from '../support/run-script.js';
import { LIFELIKE_CONTENT, ODD_CONTENT } from '../support/volume-content.js';
import { walk, type WalkedFile } from '../support/walk.js';

async function filledVolume(name: string, script: string): Promise<string> {
  const volume = `${name}-${String(process.pid)}`;
  onTestFinished(() => removeVolume(volume));
  await createVolume(volume, script);
  return volume;
}

test('a walk of a volume from a container sees what a walk of its directory sees', async () => {
  const volume = await filledVolume('walked', ODD_CONTENT);
  expect(await walk({ volume })).toEqual(await walk(await insideVolume(volume)));
});

test('a walk sees all that the odd content has', async () => {
  const files = await walk(await insideVolume(await filledVolume('odd', ODD_CONTENT)));
  const at = (path: string) => files.find((file) => file.path === path);

  expect(at('.')).toMatchObject({ type: 'directory' });
  expect(at('names/new\nline')).toMatchObject({ type: 'file', sizeBytes: 8 });
  expect(at(`names/${'x'.repeat(255)}`)).toBeDefined();
  expect(at(`bytes:${Buffer.from('names/latin1 \xe9', 'latin1').toString('hex')}`)).toBeDefined();
  expect(at('sparse')).toMatchObject({ sizeBytes: 32 * 1024 * 1024, isSparse: true });
  expect(at('deep/first')?.sameFileAs).toBe('deep/a/c/second');
  expect(at('deep/b/d/third name')?.sameFileAs).toBe('deep/a/c/second');
  expect(at('deep/absolute')).toMatchObject({ type: 'symlink', linkTarget: '/etc/passwd' });
  expect(at('owned')).toMatchObject({ uid: 12345, gid: 54321 });
  expect(at('set-uid')).toMatchObject({ mode: '4755' });
  expect(at('noise')?.xattrs).toEqual({ 'user.binary': '0x00ff0a', 'user.comment': hex('kept with the file') });
  expect(at('noise')?.modifiedAt).toMatch(/\.1234567890$/);
  expect(at('pipe')).toMatchObject({ type: 'fifo', mode: '0622' });
});

function hex(text: string): string {
  return `0x${Buffer.from(text).toString('hex')}`;
}

// Each of these is something that a restore could get wrong, and a comparison of two walks has to show.
test.each([
  [
    'content',
    'printf X | dd of=uploads/2026/11/photo.jpg bs=1 seek=1000 conv=notrunc status=none',
    'uploads/2026/11/photo.jpg',
  ],
  ['a mode', 'chmod 0640 pgdata/PG_VERSION', 'pgdata/PG_VERSION'],
  ['an owner', 'chown 0 pgdata/PG_VERSION', 'pgdata/PG_VERSION'],
  ['a group', 'chgrp 0 pgdata/PG_VERSION', 'pgdata/PG_VERSION'],
  ['a link', 'ln -sfn elsewhere uploads/cache/latest', 'uploads/cache/latest'],
  ['an attribute', 'setfattr -n user.a -v b pgdata', 'pgdata'],
  [
    'a hole',
    'truncate -s 0 uploads/2026/10/empty-form.pdf; truncate -s 4M uploads/2026/10/empty-form.pdf',
    'uploads/2026/10/empty-form.pdf',
  ],
  ['a hard link', 'ln pgdata/PG_VERSION z', 'pgdata/PG_VERSION'],
  ['an empty directory', 'rmdir pgdata/pg_tblspc', 'pgdata/pg_tblspc'],
  ['a time', "touch -d '2026-11-01 12:00:00.26 UTC' pgdata/PG_VERSION", 'pgdata/PG_VERSION'],
])('a walk shows a change of %s', async (_what, script, path) => {
  const place = await insideVolume(await filledVolume('changed', LIFELIKE_CONTENT));
  const before = await walk(place);
  await runScript(place, script);
  const pick = (files: WalkedFile[]) => files.find((file) => file.path === path);
  expect(pick(before)).toBeDefined();
  expect(pick(await walk(place))).not.toEqual(pick(before));
});

test('a removed volume is gone, and removing it again is no error', async () => {
  const volume = await filledVolume('removed', 'echo x >x');
  expect(await volumeExists(volume)).toBe(true);
  await removeVolume(volume);
  await removeVolume(volume);
  expect(await volumeExists(volume)).toBe(false);
});
