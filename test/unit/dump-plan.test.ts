import { expect, test } from 'vitest';
import { choose } from '../../src/sources/postgres/dump-plan.js';
import { splitAtMarks } from '../../src/sources/postgres/split-at-marks.js';
import { VerboseMessages } from '../../src/sources/postgres/verbose-messages.js';

const MEGABYTE = 1024 ** 2;
const table = (dumpId: string, megabytes: number) => ({ dumpId, sizeBytes: megabytes * MEGABYTE });

test('a table that is most of a database gets most of the threads, and small ones have no part', () => {
  const { parts, restBytes } = choose([table('1', 0.1), table('2', 10), table('3', 80)], 9.9 * MEGABYTE, 4);
  expect(parts).toEqual([
    { dumpId: '3', threads: 3 },
    { dumpId: '2', threads: 1 },
  ]);
  expect(restBytes / MEGABYTE).toBeCloseTo(10);
});

test('there are at most 256 parts, of the largest tables', () => {
  const tables = Array.from({ length: 300 }, (_, index) => table(String(index), 1 + index));
  const { parts, restBytes } = choose(tables, 0, 2);
  expect(parts).toHaveLength(256);
  expect(parts[0]?.dumpId).toBe('299');
  expect(restBytes / MEGABYTE).toBe((44 * 45) / 2);
  expect(choose([], 0, 2)).toEqual({ parts: [], restBytes: 0 });
});

const mark = '0123456789abcdef'.repeat(3);

async function split(chunks: string[]): Promise<string[]> {
  const joined: string[] = [];
  const stream = (function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  for await (const piece of splitAtMarks(stream as unknown as AsyncIterable<Buffer>, mark)) {
    if ('id' in piece) joined.push(`<${piece.id}>`);
    else if (joined.at(-1)?.startsWith('<') === false) joined.push((joined.pop() ?? '') + piece.text.toString());
    else joined.push(piece.text.toString());
  }
  return joined;
}

test('a text is split at its marks, wherever a chunk of it ends', async () => {
  const text = `${'one\n'.repeat(40)}${mark}12\n${mark}3\ntwo\n${mark.slice(0, 20)}\nthree\n${mark}4567890\nend`;
  const expected = ['one\n'.repeat(40), '<12>', '<3>', `two\n${mark.slice(0, 20)}\nthree\n`, '<4567890>', 'end'];
  expect(await split([text])).toEqual(expected);
  for (let at = 1; at < text.length; at += 1) {
    expect(await split([text.slice(0, at), text.slice(at)]), `cut at ${String(at)}`).toEqual(expected);
  }
  expect(await split([...text])).toEqual(expected);
  expect(await split([])).toEqual([]);
});

test('of what pg_dump tells at length only warnings and errors are kept, with all of their lines', async () => {
  const messages = new VerboseMessages();
  const said = [
    'pg_dump: reading schemas',
    'pg_dump: warning: there are circular foreign-key constraints',
    'pg_dump: detail: t',
    'of two lines',
    'pg_dump: dumping contents of table "public.a',
    'b"',
    'pg_dump: pg_dump: error: oops',
    'pg_dump: pg_dump: dumping contents of table "public.c"',
    'warning: another',
  ].join('\n');
  for (const character of said) messages.add(Buffer.from(character));
  await messages.first;
  expect(messages.text().split('\n')).toEqual([
    'pg_dump: warning: there are circular foreign-key constraints',
    'pg_dump: detail: t',
    'of two lines',
    'pg_dump: pg_dump: error: oops',
    'warning: another',
  ]);
});
