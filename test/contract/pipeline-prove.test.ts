import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Compression, TargetKind } from '../../src/domain/target.js';
import { compressor, decompressor } from '../../src/pipeline/compression.js';
import { proveArtifact } from '../../src/pipeline/prove.js';
import { findTools, type Tools } from '../../src/pipeline/tools.js';
import { factsOf } from '../support/noise-file.js';

const SQL = `-- PostgreSQL database dump\n${randomBytes(400_000).toString('hex')}\n`;
const SQL_END = '--\n-- PostgreSQL database dump complete\n--\n\n';
const BGZF_END_BYTES = 28;

let tools: Tools;
let pigzOnly: Tools;

beforeAll(async () => {
  tools = await findTools();
  const { bgzip: _bgzip, ...rest } = tools;
  pigzOnly = rest;
});

function compress(content: string | Buffer, compression: Compression = 'gzip', level = 6, with_ = tools): Buffer {
  const { file, args } = compressor(with_, compression, level);
  return execFileSync(file, args, { input: content, maxBuffer: 64 * 1024 * 1024 });
}

interface Prove {
  kind?: TargetKind;
  compression?: Compression;
  tools?: Tools;
  entryByEntry?: boolean;
}

async function prove(bytes: Buffer, options: Prove = {}) {
  const { kind = 'database', compression = 'gzip', tools: found = tools, entryByEntry = false } = options;
  const directory = await mkdtemp(join(tmpdir(), 'prove-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'artifact');
  await writeFile(path, bytes);
  return proveArtifact({ path, kind, compression, tools: found, entryByEntry });
}

function tarOf(content: Buffer): Buffer {
  return execFileSync('bash', ['-c', 'd=$(mktemp -d); cat >$d/file; tar -C $d -cf - .; rm -r $d'], {
    input: content,
    maxBuffer: 64 * 1024 * 1024,
  });
}

test.each([
  ['gzip', 0],
  ['gzip', 1],
  ['gzip', 9],
  ['zstd', 1],
  ['zstd', 19],
] as const)('%s at level %i is accepted and read by stock tools', async (compression, level) => {
  for (const with_ of [tools, pigzOnly]) {
    const bytes = compress(SQL + SQL_END, compression, level, with_);
    for (const reader of [tools, pigzOnly]) {
      expect(await prove(bytes, { compression, tools: reader })).toEqual(factsOf(bytes));
    }
    const stock = compression === 'gzip' ? ['gunzip', '-c'] : ['zstd', '-dc'];
    expect(execFileSync(stock[0] ?? '', stock.slice(1), { input: bytes, maxBuffer: 1e8 }).toString()).toBe(
      SQL + SQL_END,
    );
  }
});

test('a missing compressor is named with its package', () => {
  expect(() => compressor({ pgDumps: [] }, 'gzip', 6)).toThrow(
    expect.objectContaining({ code: 'ProgramMissing', hint: expect.stringContaining('tabix') as string }) as Error,
  );
  expect(() => compressor({ pgDumps: [] }, 'zstd', 3)).toThrow(/zstd is not installed/);
  expect(() => decompressor({ pgDumps: [] }, 'gzip')).toThrow(/cannot decompress with gzip/);
});

test('what pg_dump 18 writes after the marker is accepted', async () => {
  const bytes = compress(`${SQL + SQL_END}\\unrestrict eYC1mDr2\n\n`);
  await expect(prove(bytes)).resolves.toEqual(factsOf(bytes));
});

test('progress is told up to the size', async () => {
  const bytes = compress(SQL + SQL_END, 'gzip', 0);
  const directory = await mkdtemp(join(tmpdir(), 'prove-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'artifact');
  await writeFile(path, bytes);
  const told: number[] = [];
  const onProgress = (bytesDone: number) => told.push(bytesDone);
  await proveArtifact({ path, kind: 'database', compression: 'gzip', tools, onProgress });
  expect(told.at(-1)).toBe(bytes.length);
  const stop = new AbortController();
  const aborted = proveArtifact({
    path,
    kind: 'database',
    compression: 'gzip',
    tools,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  await expect(aborted).rejects.toMatchObject({ code: 'Cancelled' });
});

/** The file cut between two of bgzip's members: to every reader a whole gzip file. */
function cutBetweenMembers(bytes: Buffer): Buffer {
  let end = 0;
  while (end < bytes.length / 2) end += bytes.readUInt16LE(end + 16) + 1;
  return bytes.subarray(0, end);
}

test('a dump cut between two members is found by bgzip’s missing end, and by the missing marker', async () => {
  const bytes = compress(SQL + SQL_END);
  const cut = cutBetweenMembers(bytes);
  expect(execFileSync('gunzip', ['-c'], { input: cut, maxBuffer: 1e8 }).length).toBeGreaterThan(100_000); // without a word
  await expect(prove(cut)).rejects.toThrow('cannot accept artifact: because its end is missing');
  const repaired = Buffer.concat([cut, bytes.subarray(-BGZF_END_BYTES)]);
  await expect(prove(repaired)).rejects.toThrow('because the end marker of pg_dump is missing');
});

test('a file that goes on where its reader stops content is refused', async () => {
  const pigz = tools.pigz ?? expect.fail('pigz is not there');
  const bytes = Buffer.concat([compress(SQL + SQL_END, 'gzip', 6, pigzOnly), randomBytes(1024 * 1024)]);
  await expect(prove(bytes, { tools: { ...pigzOnly, gzip: pigz } })).rejects.toThrow(
    'cannot accept artifact: because more follows the end of its compressed data',
  );
});

test('an archive that is cut within a file of zeros is found', async () => {
  const bytes = compress(tarOf(Buffer.alloc(20_000_000)));
  for (const entryByEntry of [false, true]) {
    const options: Prove = { kind: 'volume', entryByEntry };
    await expect(prove(bytes, options)).resolves.toEqual(factsOf(bytes));
    await expect(prove(cutBetweenMembers(bytes), options)).rejects.toMatchObject({ code: 'Damaged' });
  }
});

test('an archive with a good end and other bytes before it is found where it is read entry by entry', async () => {
  const archive = tarOf(randomBytes(100_000));
  const patched = compress(Buffer.concat([archive.subarray(0, 50_000), Buffer.alloc(10_000)]));
  await expect(prove(patched, { kind: 'volume' })).resolves.toEqual(factsOf(patched));
  await expect(prove(patched, { kind: 'volume', entryByEntry: true })).rejects.toThrow(
    'cannot accept artifact: because the end of the archive is missing',
  );
});

test.each([
  ['an empty file', () => Buffer.alloc(0), {}, 'it is empty'],
  ['a dump of nothing', () => compress(''), {}, 'it holds nothing'],
  ['half a dump', () => compress(SQL), {}, 'the end marker of pg_dump is missing'],
  ['a marker within a line', () => compress(`${SQL}x ${SQL_END.slice(3)}`), {}, 'the end marker of pg_dump is missing'],
  ['a marker far from the end', () => compress(SQL_END + SQL), {}, 'the end marker of pg_dump is missing'],
  ['a cut gzip file', () => compress(SQL + SQL_END).subarray(0, 200_000), {}, 'its end is missing'],
  [
    'a cut gzip file of pigz',
    () => compress(SQL + SQL_END, 'gzip', 6, pigzOnly).subarray(0, 200_000),
    {},
    'ended with code 1',
  ],
  [
    'a cut zstd file',
    () => compress(SQL + SQL_END, 'zstd').subarray(0, -1),
    { compression: 'zstd' },
    'ended with code 1',
  ],
  ['what is no gzip file', () => Buffer.from(SQL), {}, 'ended with code 1'],
  [
    'a tail of something else',
    () => Buffer.concat([compress(SQL + SQL_END), Buffer.from('tail')]),
    {},
    'its end is missing',
  ],
  [
    'a tail after pigz',
    () => Buffer.concat([compress(SQL + SQL_END, 'gzip', 6, pigzOnly), Buffer.from('tail')]),
    {},
    'ended with code',
  ],
  [
    'an archive without its end',
    () => compress(tarOf(randomBytes(100_000)).subarray(0, 100_864)),
    { kind: 'volume' },
    'the end of the archive is missing',
  ],
  [
    'an archive without its end, read entry by entry',
    () => compress(tarOf(randomBytes(100_000)).subarray(0, 100_864)),
    { kind: 'volume', entryByEntry: true },
    'the end of the archive is missing',
  ],
  [
    'an archive shorter than its end',
    () => compress(Buffer.alloc(512)),
    { kind: 'volume' },
    'the end of the archive is missing',
  ],
  [
    'an archive shorter than its end, read entry by entry',
    () => compress(Buffer.alloc(512)),
    { kind: 'volume', entryByEntry: true },
    'the end of the archive is missing',
  ],
] as [string, () => Buffer, Prove, string][])('%s is refused', async (_what, bytes, options, reason) => {
  const failure = prove(bytes(), options);
  await expect(failure).rejects.toMatchObject({ code: 'Damaged' });
  await expect(failure).rejects.toThrow(/^cannot accept artifact: because /);
  await expect(failure).rejects.toThrow(reason);
});

test.each(['gzip', 'zstd'] as const)(
  'a flipped bit in a %s file is found, wherever the data are',
  async (compression) => {
    for (const level of [compression === 'gzip' ? 0 : 1, 6]) {
      const bytes = compress(SQL + SQL_END, compression, level);
      for (const position of [100, 150_000, bytes.length - 200]) {
        const damaged = Buffer.from(bytes);
        damaged[position] = (damaged[position] ?? 0) ^ 4;
        await expect(prove(damaged, { compression })).rejects.toMatchObject({ code: 'Damaged' });
      }
    }
  },
);

test('a small file of bgzip is proved without a program, with the facts that programs would find', async () => {
  const bytes = compress(SQL.slice(0, 100_000) + SQL_END);
  expect(bytes.length).toBeGreaterThan(50_000);
  const none: Tools = { ...tools, bgzip: { path: '/nowhere/bgzip', version: '0' } };
  expect(await prove(bytes, { tools: none })).toEqual(factsOf(bytes));
});

test('whatever a small file of bgzip is broken by, programs say', async () => {
  const bytes = compress(SQL.slice(0, 2_000) + SQL_END);
  const other = compress(SQL.slice(0, 3_000));
  const broken = {
    'its end marker': [other, /the end marker of pg_dump is missing/],
    'an end that is cut off': [bytes.subarray(0, -1), /its end is missing/],
    'what follows it': [Buffer.concat([bytes, Buffer.from('more')]), /its end is missing|more follows/],
    'a byte within': [flipped(bytes, 100), /cannot accept/],
    'its checksum': [flipped(bytes, bytes.length - BGZF_END_BYTES - 8), /cannot accept/],
  } as const;
  for (const [what, [file, message]] of Object.entries(broken))
    await expect(prove(file), what).rejects.toThrow(message);
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
