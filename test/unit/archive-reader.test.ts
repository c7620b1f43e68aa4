import { execFileSync } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readArchive } from '../../src/archive/archive-reader.js';
import { BrokenArchive } from '../../src/archive/broken-archive.js';
import type { ArchiveEntry } from '../../src/archive/entry.js';
import { CREATE_OPTIONS } from '../../src/sources/tar/options.js';

const BLOCK = 512;

/** The archive that a capture makes of what a bash script leaves in an empty directory. */
function archiveOf(script: string, options: readonly string[] = CREATE_OPTIONS): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'archive-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const run = {
    cwd: directory,
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'],
  };
  execFileSync('bash', ['-euc', script], run);
  return execFileSync('tar', [...options, '.'], { ...run, env: { ...process.env, LC_ALL: 'C' } });
}

type ReadEntry = ArchiveEntry & { content?: string };

async function read(archive: Buffer, chunkBytes = 65_536) {
  const entries = new Map<string, ReadEntry>();
  let hash: Hash;
  const chunks = async function* () {
    await Promise.resolve();
    for (let at = 0; at < archive.length; at += chunkBytes) yield archive.subarray(at, at + chunkBytes);
  };
  const told = await readArchive(chunks(), {
    onEntry: (entry) => {
      entries.set(entry.path, entry);
      hash = createHash('sha1');
    },
    onContent: (piece) => hash.update(piece),
    onEntryEnd: (entry) => {
      if (entry.type === 'file') entries.set(entry.path, { ...entry, content: hash.digest('hex') });
    },
  });
  return { ...told, entries };
}

const sha1 = (content: string | Buffer) => createHash('sha1').update(content).digest('hex');
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

test('names of any bytes and any length come as they are', async () => {
  const long = `${'d'.repeat(200)}/${'e'.repeat(200)}/${'f'.repeat(255)}`;
  const { entries, unknown } = await read(
    archiveOf(`
      for name in $'new\\nline' $'latin1 \\xe9' 'naïve 備份' '..dots' '...' '-rf' ' space ' 'a\\b' '50%3D=%25'; do printf x >"./$name"; done
      mkdir -p ${'d'.repeat(200)}/${'e'.repeat(200)}; printf x >${long}; ln -s $'to\\n\\xff' link; ln -s ${long} long-link
    `),
  );
  const names = [
    'new\nline',
    'latin1 \xe9',
    latin1('naïve 備份'),
    '..dots',
    '...',
    '-rf',
    ' space ',
    'a\\b',
    '50%3D=%25',
    long,
  ];
  for (const name of names) expect(entries.get(name)).toMatchObject({ type: 'file', sizeBytes: 1, content: sha1('x') });
  expect([...entries.keys()].sort()).toEqual(
    [...names, '.', 'link', 'long-link', 'd'.repeat(200), long.slice(0, 401)].sort(),
  );
  expect(entries.get('link')).toMatchObject({ type: 'symlink', linkTarget: 'to\n\xff' });
  expect(entries.get('long-link')?.linkTarget).toBe(long);
  expect(unknown).toEqual([]);
});

test('modes, owners, times, links and kinds are told', async () => {
  const { entries, contentBytes } = await read(
    archiveOf(`
      umask 022; mkdir directory; chmod 3750 directory; mkfifo -m 0622 pipe; : >empty; printf 'one' >first; ln first second
      chmod 4711 first; touch -d @-1.75 first; touch -d '2026-11-01 12:00:00.123456789 UTC' empty; touch -d @4000000000 pipe
    `),
  );
  const mine = { uid: process.getuid?.(), gid: process.getgid?.() };
  expect(entries.get('directory')).toMatchObject({ type: 'directory', mode: 0o3750, ...mine, sizeBytes: 0 });
  expect(entries.get('pipe')).toMatchObject({ type: 'fifo', mode: 0o622, modifiedAt: '4000000000.000000000' });
  expect(entries.get('empty')).toMatchObject({
    type: 'file',
    sizeBytes: 0,
    content: sha1(''),
    modifiedAt: '1793534400.123456789',
  });
  const [file, link] = ['first', 'second']
    .map((path) => entries.get(path))
    .sort((one) => (one?.type === 'file' ? -1 : 1));
  expect(file).toMatchObject({ type: 'file', mode: 0o4711, modifiedAt: '-1.750000000', content: sha1('one') });
  expect(link).toMatchObject({ type: 'hard link', linkTarget: file?.path });
  expect(contentBytes).toBe(3);
});

test('a sparse file has its whole size and content, and its holes are read only by who asks for content', async () => {
  const archive = archiveOf(`
    truncate -s 40M sparse; printf 'in the middle' | dd of=sparse bs=1 seek=16777216 conv=notrunc status=none
    truncate -s 5M nothing-but-hole; printf end | dd of=hole-first bs=1M seek=3 status=none
  `);
  expect(archive.length).toBeLessThan(100_000);
  const sparse = Buffer.alloc(40 * 1024 * 1024);
  sparse.write('in the middle', 16_777_216);
  const { entries, contentBytes, unknown } = await read(archive);
  expect(entries.get('sparse')).toMatchObject({ sizeBytes: sparse.length, content: sha1(sparse) });
  const hole = Buffer.alloc(5 * 1024 * 1024);
  expect(entries.get('nothing-but-hole')).toMatchObject({ sizeBytes: hole.length, content: sha1(hole) });
  const first = Buffer.concat([Buffer.alloc(3 * 1024 * 1024), Buffer.from('end')]);
  expect(entries.get('hole-first')).toMatchObject({ sizeBytes: first.length, content: sha1(first) });
  expect({ contentBytes, unknown }).toEqual({ contentBytes: sparse.length + hole.length + first.length, unknown: [] });
});

test('extended attributes of any name and value are told', async () => {
  const { entries } = await read(
    archiveOf(
      `echo >file; setfattr -n 'user.a=b%c' -v 0x00ff0a3d file; setfattr -n $'user.new\\nline' -v x file; setfattr -n user.empty file`,
    ),
  );
  expect(Object.fromEntries(entries.get('file')?.xattrs ?? [])).toEqual({
    'user.a=b%c': Buffer.from('00ff0a3d', 'hex'),
    'user.new\nline': Buffer.from('x'),
    'user.empty': Buffer.alloc(0),
  });
});

test('large numbers are read in both ways of writing them', async () => {
  const huge = ['--owner=:3000000000', '--group=:2999999999', '--mtime=@9000000000'];
  for (const format of ['posix', 'gnu']) {
    const { entries } = await read(archiveOf('echo >file', ['--create', '--file=-', `--format=${format}`, ...huge]));
    expect(entries.get('file')).toMatchObject({
      uid: 3_000_000_000,
      gid: 2_999_999_999,
      modifiedAt: '9000000000.000000000',
    });
  }
});

test('an empty volume is one entry, and two blocks of zeros are none', async () => {
  expect([...(await read(archiveOf(':'))).entries.keys()]).toEqual(['.']);
  expect((await read(Buffer.alloc(2 * BLOCK))).entries.size).toBe(0);
});

const SMALL = `printf 'hello world' >file; ln -s file link; setfattr -n user.x -v y file; touch -d @1.5 *`;

test('pieces of any size are read alike', async () => {
  const archive = archiveOf(`${SMALL}; truncate -s 1M sparse; echo end >>sparse`);
  const whole = await read(archive);
  for (const chunkBytes of [1, 7, 511, 512, 513, 4096]) expect(await read(archive, chunkBytes)).toEqual(whole);
});

describe('what is broken is found:', () => {
  test('every truncation', async () => {
    const archive = archiveOf(SMALL);
    const end = archive.length - BLOCK * 20 + archive.subarray(-BLOCK * 20).findLastIndex((byte) => byte !== 0);
    const shortest = Math.ceil(end / BLOCK) * BLOCK + 2 * BLOCK; // what follows the two blocks fills up a record
    for (let length = 0; length < shortest; length += 1)
      await expect(read(archive.subarray(0, length))).rejects.toBeInstanceOf(BrokenArchive);
    await expect(read(archive.subarray(0, shortest))).resolves.toMatchObject({
      entries: expect.any(Map) as Map<string, never>,
    });
  });

  test('a bit in every byte of every header, of the data before an entry and of the content', async () => {
    const archive = archiveOf(SMALL);
    const whole = await read(archive);
    let [found, passed] = [0, 0];
    for (let at = 0; at < archive.length; at += 1) {
      const flipped = Buffer.from(archive);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
      const told = await read(flipped).catch((error: unknown) => error);
      if (told instanceof BrokenArchive || JSON.stringify(describeAll(told)) !== JSON.stringify(describeAll(whole)))
        found += 1;
      else if (archive.readUInt8(at) !== 0) throw new Error(`byte ${String(at)} may be anything`);
      else passed += 1; // what fills up a block
    }
    expect(found).toBeGreaterThan(4000);
    expect(passed).toBeLessThan(archive.length - found + 1);
  });

  test('what follows the end', async () => {
    const archive = archiveOf(SMALL);
    await expect(read(Buffer.concat([archive, Buffer.from('more')]))).rejects.toThrow('more follows the end');
    const oneBlock = Buffer.concat([Buffer.alloc(BLOCK), archive]);
    await expect(read(oneBlock)).rejects.toThrow('one block of zeros is no end');
  });
});

function describeAll(told: unknown): unknown {
  if (!(typeof told === 'object' && told !== null && 'entries' in told && told.entries instanceof Map)) return told;
  const entries = [...(told.entries as Map<string, ReadEntry>).values()];
  return entries.map((entry) => ({
    ...entry,
    xattrs: [...entry.xattrs].map(([name, value]) => [name, value.toString('hex')]),
  }));
}

/** Its header's checksum made right after a change. */
function resealed(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

test('what it does not know it names', async () => {
  const create = ['--create', '--file=-'];
  const global = archiveOf(SMALL, [...create, '--format=posix', '--pax-option=globexthdr.name=g,comment=x']);
  expect((await read(global)).unknown).toEqual(['a header for all entries']);
  const keyword = archiveOf(SMALL, [...create, '--format=posix', '--pax-option=NEW.thing:=1']);
  expect((await read(keyword)).unknown).toEqual(['the keyword "NEW.thing"']);
  const sparse = archiveOf('truncate -s 1M sparse', [...create, '--format=posix', '--sparse', '--sparse-version=0.1']);
  expect((await read(sparse)).unknown).not.toEqual([]);
  const plain = archiveOf('echo >file', [...create, '--format=ustar']);
  resealed(plain.subarray(0, BLOCK).fill('Z', 156, 157));
  expect((await read(plain)).unknown).toEqual(['an entry of the type "Z"']);
});
