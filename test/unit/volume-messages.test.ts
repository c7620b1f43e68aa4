import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isPartOf } from '../../src/domain/names.js';
import { captureWarnings } from '../../src/sources/tar/capture-messages.js';
import { createMessagesFile, readMessages } from '../../src/sources/docker/helper-messages.js';
import { parseLdd } from '../../src/sources/program-files.js';
import { readable } from '../../src/sources/tar/messages.js';
import { UNKNOWN_USE } from '../../src/sources/volume/users.js';

async function inDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'messages-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

async function messagesOf(text: string) {
  const path = join(await inDirectory(), 'messages');
  await writeFile(path, text, 'latin1');
  return readMessages(path);
}

test('the notes of the script and the lines of tar are told apart', async () => {
  const messages = await messagesOf(`backup-helper version tar tar (GNU tar) 1.34
backup-helper version zstd *** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***
backup-helper live-database ./pgdata/
tar: ./caf\\303\\251\\nbackup-helper ended 0 0: file changed as we read it
tar: Exiting with failure status due to previous errors
backup-helper ended 1 0
`);

  expect(messages.programs).toEqual({ tar: '1.34', zstd: '1.5.4' });
  expect(messages.liveDatabases).toEqual(['./pgdata/']);
  expect(messages.exitCodes).toEqual({ tar: 1, compressor: 0 });
  expect(messages.firstLines).toEqual(['tar: ./café\\nbackup-helper ended 0 0: file changed as we read it']);
});

test('a script that did not get to its end has no exit codes', async () => {
  expect(
    (await messagesOf('backup-helper version tar tar (GNU tar) 1.34\ntar: ./a: socket ignored\n')).exitCodes,
  ).toBeUndefined();
});

test('of very many lines the first are warnings and the others are counted', async () => {
  const messages = await messagesOf(
    Array.from({ length: 1234 }, (_, n) => `tar: ./${String(n)}: socket ignored\n`).join(''),
  );
  const warnings = captureWarnings(messages, UNKNOWN_USE);

  expect(warnings).toHaveLength(101);
  expect(warnings[0]).toBe('tar: ./0: socket ignored');
  expect(warnings[100]).toBe('tar wrote 1134 more lines like these');
  expect(messages.lastLines.at(-1)).toBe('tar: ./1233: socket ignored');
});

test('a warning about a live database names who uses the volume', async () => {
  const [warning] = captureWarnings(await messagesOf('backup-helper live-database ./\n'), {
    usedBy: ['stack-postgres-1'],
    isAtRest: false,
  });
  expect(warning).toContain('the volume is in use by stack-postgres-1');
});

test.each([
  ['caf\\303\\251', 'café'],
  ['latin1 \\351', 'latin1 \\351'],
  ['tab\\there', 'tab\\there'],
  ['bell\\007', 'bell\\007'],
  ['a backslash \\\\303\\\\251', 'a backslash \\\\303\\\\251'],
])('%s is read as %s', (told, text) => {
  expect(readable(told)).toBe(text);
});

test('whoever sweeps the parts of an artifact sweeps the messages too', async () => {
  const artifact = 'files_volume_20261124_030000.tar.gz';
  const path = await createMessagesFile(join(await inDirectory(), `${artifact}.token.part`));
  expect(isPartOf(path.split('/').at(-1) ?? '', artifact)).toBe(true);
});

test('the libraries of a program are read from what ldd says', () => {
  const told = `\tlinux-vdso.so.1 (0x00007f118ee4a000)
\tlibacl.so.1 => /lib/x86_64-linux-gnu/libacl.so.1 (0x00007f118edab000)
\tlibodd.so => /opt/with space/libodd.so (0x00007f118edab000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f118ee4c000)
`;
  expect(parseLdd(told, '/usr/bin/tar')).toEqual([
    '/lib/x86_64-linux-gnu/libacl.so.1',
    '/opt/with space/libodd.so',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
  expect(() => parseLdd('\tlibgone.so.1 => not found\n', '/usr/bin/tar')).toThrow(
    'its library libgone.so.1 is not there',
  );
});
