import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BackupError } from '../../src/domain/errors.js';
import { parseEnvFile } from '../../src/config/env-file.js';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
const parse = (text: string, env: Record<string, string> = {}) =>
  parseEnvFile({ file: 'stack.env', text, lookup: (name) => env[name] });

describe('stack.env', () => {
  it('means what docker compose takes it for', () => {
    expect(parse(fixture('stack.env'))).toEqual(JSON.parse(fixture('stack.env.json')));
  });

  it('expands variables of the environment before those of earlier lines', () => {
    expect(parse('A=file\nB=$A-${A}\n', { A: 'real' })).toEqual({ A: 'file', B: 'real-real' });
  });

  it('takes a name without value from the environment, at the end of the file too', () => {
    expect(parse('A\nB\nC', { A: '1', C: '3' })).toEqual({ A: '1', C: '3' });
  });

  it('begins behind a byte order mark', () => {
    expect(parse('\ufeffA=1')).toEqual({ A: '1' });
  });

  it('keeps names that JavaScript knows otherwise', () => {
    expect(Object.entries(parse('__proto__=1\nconstructor=2'))).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  it.each([
    ['A=1\n\n# note\nB="never closed\n', 4, 'a quote is opened and never closed'],
    ["A='never closed", 1, 'a quote is opened and never closed'],
    ['A=1\nA B=2', 2, 'the name of a variable holds a space'],
    ['=1', 1, 'a variable has no name'],
    ['A=1\nA$B=2', 2, 'a line must read NAME=value'],
    ['A="two\nlines"\nB=${C', 3, '`${` begins no valid reference'],
    ['A=${}', 1, '`${` begins no valid reference'],
    ['A=${B:?set it}', 1, 'the variable B is required: set it'],
  ])('refuses %j', (text, line, why) => {
    expect(() => parse(text)).toThrow(`cannot use stack.env:${String(line)}: because ${why}`);
  });

  it.each(['PASSWORD="hunter2', 'PASSWORD=hunter2${', 'PASS WORD=hunter2', 'PASSWORD$=hunter2'])(
    'quotes no value in its error about %j',
    (text) => {
      const failure = () => {
        try {
          return parse(text);
        } catch (error) {
          return (error as BackupError).text;
        }
      };
      expect(failure()).toMatch(/^cannot use stack\.env:1: because .*\nHINT: /);
      expect(failure()).not.toContain('hunter2');
    },
  );
});
