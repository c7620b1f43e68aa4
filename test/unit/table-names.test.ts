import { describe, expect, it } from 'vitest';
import { parseSchemaName, parseTableName, splitNames } from '../../src/domain/table-names.js';

describe('names of tables', () => {
  it.each([
    ['rings', ['rings']],
    ['a,b', ['a', 'b']],
    [' a , shire.hobbits ', ['a', 'shire.hobbits']],
    ['"a,b".c, "say ""friend"""', ['"a,b".c', '"say ""friend"""']],
    ['two words,é', ['two words', 'é']],
  ])('%s', (list, names) => {
    expect(splitNames(list)).toEqual(names);
  });

  it.each(['', ' ', 'a,', ',a', 'a,,b', '"a', 'a"b', '""', 'a.', '.a', 'a..b'])('no list of names: %j', (list) => {
    expect(() => splitNames(list)).toThrow(/is no list of names/);
  });

  it('are read literally, and in quotes as psql prints them', () => {
    expect(parseTableName('Rings')).toEqual({ name: 'Rings' });
    expect(parseTableName('shire.Hobbits')).toEqual({ schema: 'shire', name: 'Hobbits' });
    expect(parseTableName('"a.b"."say ""friend"""')).toEqual({ schema: 'a.b', name: 'say "friend"' });
    expect(parseSchemaName('"a.b"')).toBe('a.b');
    expect(() => parseTableName('a.b.c')).toThrow(/no list of names/);
    expect(() => parseSchemaName('a.b')).toThrow(/no list of names/);
  });
});
