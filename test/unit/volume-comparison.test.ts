import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sortLines } from '../../src/drill/sorted-lines.js';
import { compareLists, type Comparison } from '../../src/drill/volume-comparison.js';
import { decoded, describeState, encoded, HARD_LINK_STATE, lineOf, type Fact } from '../../src/drill/volume-facts.js';
import { linkFacts, pairLine } from '../../src/drill/volume-hard-links.js';
import { verdictOf } from '../../src/drill/volume-verdict.js';
import { listWalk } from '../../src/drill/volume-walk-list.js';

const { signal } = new AbortController();

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'comparison-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

function fact(path: string, key: string, value: string, ordinal = 1): Fact {
  return { path: encoded(path), ordinal, key, value };
}

async function listOf(facts: readonly Fact[]): Promise<string> {
  const path = join(await directory(), 'facts');
  await sortLines({ path, signal }, (sink) => {
    for (const each of facts) sink.add(lineOf(each));
    return Promise.resolve();
  });
  return path;
}

async function compared(expected: Fact[], found: Fact[], ignored: string[] = []): Promise<Comparison> {
  const lists = { expected: [await listOf(expected)], found: [await listOf(found)] };
  return compareLists({ ...lists, ignored, signal, onProgress: () => undefined });
}

const state = (more: string) => `type=file mode=0644 owner=0:0 mtime=1.000000000 ${more}`;

test('names of any bytes are one word of ASCII, and come back', () => {
  const names = ['a b', 'tab\there', 'new\nline', '\\', '\\20', '\xff\xc3', 'plain', '\u0001'];
  for (const name of names) {
    expect(encoded(name)).toMatch(/^[!-~]+$/);
    expect(decoded(encoded(name)).toString('latin1')).toBe(name);
  }
});

test('equal lists have no differences, whatever comes first', async () => {
  const facts = ['a', 'a b', 'a!', 'a/b', 'a\tb', 'A', '\xff'].map((path) => fact(path, 'is', state('size=1')));
  expect(await compared(facts, [...facts].reverse())).toEqual({ paths: 7, differing: 0, differences: [] });
});

test('what is on one side only is told, and names are told as they are', async () => {
  const [one, other] = [
    fact('naïve'.replace('ï', '\xc3\xaf'), 'is', state('size=1')),
    fact('\xff\n', 'is', state('size=1')),
  ];
  const { differing, differences } = await compared([one], [other]);
  expect(differing).toBe(2);
  expect(differences.map(({ text }) => text)).toEqual(['"\\ff\\0a" is not in the archive', '"naïve" is missing']);
});

test('of more than twenty differences the first are told, and how many there are', async () => {
  const facts = Array.from({ length: 50 }, (_none, index) => fact(`file${String(index + 100)}`, 'is', state('size=1')));
  const comparison = await compared(facts, []);
  expect(comparison).toMatchObject({ paths: 50, differing: 50 });
  expect(comparison.differences).toHaveLength(20);
  const archive = { entries: 50, contentBytes: 0, unknown: [] };
  const { outcome, reason } = verdictOf({ archive, comparison, warnings: [], ownsNothing: false });
  expect({ outcome, reason }).toEqual({
    outcome: 'failed',
    reason: expect.stringMatching(
      /^50 of 50 paths differ: "file100" is missing; .*"file119" is missing; and 30 more$/,
    ) as string,
  });
});

test('of a name that a directory showed twice the last entry counts', async () => {
  const twice = [
    fact('a', 'is', state('size=1'), 3),
    fact('a', 'content', 'x', 3),
    fact('a', 'is', state('size=2'), 12),
  ];
  expect(await compared(twice, [fact('a', 'is', state('size=2'))])).toMatchObject({ differing: 0 });
  expect(await compared(twice, [fact('a', 'is', state('size=1')), fact('a', 'content', 'x')])).toMatchObject({
    differing: 1,
  });
});

test('names of one file are one file again, whichever of them the archive has the content under', async () => {
  const grouped = async (pairs: [group: string, path: string][]) => {
    const path = join(await directory(), 'pairs');
    await sortLines({ path, signal }, (sink) => {
      for (const [group, name] of pairs) sink.add(pairLine(group, name));
      return Promise.resolve();
    });
    return linkFacts(path, signal);
  };
  const content = [fact('m', 'is', state('size=1')), fact('m', 'content', 'x')];
  const links = ['a', 'z'].map((path) => fact(path, 'is', HARD_LINK_STATE, 2));
  const expected = [
    await listOf([...content, ...links]),
    await grouped([
      ['m', 'm'],
      ['m', 'a'],
      ['m', 'm'],
      ['m', 'z'],
    ]),
  ];
  const all = ['a', 'm', 'z'].flatMap((path) => [fact(path, 'is', state('size=1')), fact(path, 'content', 'x')]);
  const compareTo = async (pairs: [string, string][]) =>
    compareLists({ expected, found: [await listOf(all), await grouped(pairs)], signal, onProgress: () => undefined });

  expect(
    await compareTo([
      ['1:7', 'm'],
      ['1:7', 'z'],
      ['1:7', 'a'],
    ]),
  ).toMatchObject({ differing: 0 });
  const split = await compareTo([
    ['1:7', 'm'],
    ['1:7', 'z'],
    ['1:8', 'a'],
  ]);
  expect(split.differences.map(({ text }) => text)).toEqual([
    '"m": it is a file of its own instead of the same as "a"',
    '"z": it is the same as "m" instead of the same as "a"',
  ]);
});

test('what cannot be kept here, and what is not known, is never passed', () => {
  const archive = { entries: 1, contentBytes: 1, unknown: [] };
  const none: Comparison = { paths: 1, differing: 0, differences: [] };
  const of = (facts: string[]): Comparison => ({ paths: 1, differing: 1, differences: [{ facts, text: 'x' }] });
  const warnings = ['tar: ./a: Cannot set xattr: Operation not supported'];
  const judge = (comparison: Comparison, more = {}) =>
    verdictOf({ archive, comparison, warnings: [], ownsNothing: false, ...more }).outcome;
  expect(judge(none)).toBe('verified');
  expect(judge(none, { ownsNothing: true })).toBe('unverified');
  expect(judge(none, { archive: { ...archive, unknown: ['the keyword "NEW"'] } })).toBe('unverified');
  expect(judge(of(['xattr user.x']))).toBe('failed');
  expect(judge(of(['xattr user.x']), { warnings })).toBe('unverified');
  expect(judge(of(['xattr user.x', 'mode']), { warnings })).toBe('failed');
  expect(judge(of(['mode']), { ownsNothing: true })).toBe('failed');
});

test('the lists of a walk are read, and what is none is refused', async () => {
  const path = await directory();
  const walk = join(path, 'walk');
  const write = async (lists: Record<string, string>) => {
    for (const name of ['states', 'targets', 'contents', 'xattrs'])
      await writeFile(`${walk}-${name}`, Buffer.from(lists[name] ?? '', 'latin1'));
  };
  const hash = 'ab'.repeat(64);
  await write({
    states: '81a4 1 2 3 -0.500000000 0 0 64:9 1\0./a\nb\0' + '21b6 0 0 0 7.000000000 103 11170 64:8 1\0./dev\0',
    contents: `${hash}  ./a\nb\0`,
    xattrs: '# file: a\\012b\nuser.x\\075y=0x00ff\nuser.empty=0x\nsecurity.selinux=0x00\n\n',
  });
  const { paths } = await listWalk({ walk, directory: path, signal });
  const expected = [
    fact(
      'a\nb',
      'is',
      describeState({
        type: 'file',
        mode: 0o644,
        uid: 1,
        gid: 2,
        sizeBytes: 3,
        modifiedAt: '-0.500000000',
        device: '',
      }),
    ),
    fact('a\nb', 'content', hash),
    fact('a\nb', `xattr ${encoded('user.x=y')}`, '00ff'),
    fact('a\nb', 'xattr user.empty', ''),
    fact('dev', 'is', 'type=character_device mode=0666 owner=0:0 mtime=7.000000000 device=259:70000'),
  ];
  const input = { expected: [await listOf(expected)], found: paths, signal, onProgress: () => undefined };
  expect(await compareLists(input)).toEqual({ paths: 2, differing: 0, differences: [] });

  const good = { states: '81a4 1 2 3 1.0 0 0 64:9 1\0./a\0' };
  for (const bad of [
    { states: 'x\0./a\0' },
    { states: `${good.states}81a4` },
    { ...good, contents: 'x  ./a\0' },
    { ...good, xattrs: 'x\n' },
  ]) {
    await write(bad);
    const again = await directory();
    await expect(listWalk({ walk, directory: again, signal })).rejects.toThrow(
      "cannot compare: because the walk's list of",
    );
  }
});
