import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expandReferences, isReferencesAlone } from '../../src/config/references.js';
import { testDirectory } from '../support/config-file.js';

const expanded = (text: string, env: Record<string, string> = {}) => {
  const expansion = expandReferences(text, env);
  return 'text' in expansion ? expansion.text : expansion.failures.map(({ message }) => message);
};

function secretFile(content: string | Buffer): string {
  const file = join(testDirectory(), 'secret');
  writeFileSync(file, content);
  return file;
}

describe('a reference', () => {
  it.each([
    ['${A}', 'x'],
    ['<${A}${A}>', '<xx>'],
    ['${EMPTY}', ''],
    ['${A:-d}', 'x'],
    ['${NO:-d e: "$"}', 'd e: "$"'],
    ['${NO:-}', ''],
    ['${EMPTY:-d}', 'd'],
    ['$A $$ $ 5$', '$A $$ $ 5$'],
    ['$${A}', '$x'],
    ['{A}', '{A}'],
  ])('%j gives %j', (text, result) => {
    expect(expanded(text, { A: 'x', EMPTY: '' })).toEqual(result);
  });

  it('is never expanded again', () => {
    expect(expanded('${A}', { A: '${B} $B ${', B: 'no' })).toBe('${B} $B ${');
  });

  it('names every variable that is not set', () => {
    expect(expanded('${A}-${B}-${C}', { B: '' })).toEqual(['the variable A is not set', 'the variable C is not set']);
  });

  it.each(['${', '${}', '${A', '${A-b}', '${1A}', '${A B}', '${A:-${B}}', '${A:?why}', '${ A }'])(
    'that reads %j is an error',
    (text) => {
      expect(expanded(text, { A: 'x', B: 'y' })).toContain('a `${` begins no valid reference');
    },
  );

  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\n\n', 'secret\n'],
    ['${A}\n', '${A}'],
    ['', ''],
  ])('takes %j from the file that NAME_FILE names as %j', (content, value) => {
    expect(expanded('${PW}', { PW_FILE: secretFile(content), A: 'no' })).toBe(value);
  });

  it('prefers NAME, even empty, to NAME_FILE, and that to the default', () => {
    const file = secretFile('of the file');
    expect(expanded('${PW}', { PW: '', PW_FILE: file })).toBe('');
    expect(expanded('${PW:-default}', { PW_FILE: file })).toBe('of the file');
    expect(expanded('${PW:-default}', { PW_FILE: secretFile('\n') })).toBe('default');
    expect(expanded('${PW:-default}', { PW_FILE: '' })).toBe('default');
  });

  it('says why a file cannot be read, whatever the default', () => {
    const missing = join(testDirectory(), 'none');
    const latin1 = secretFile(Buffer.from('m\xfcller', 'latin1'));
    const message = 'cannot read the file that PW_FILE names: because of';
    expect(expanded('${PW:-default}', { PW_FILE: missing })).toEqual([`${message} ENOENT`]);
    expect(expanded('${PW}', { PW_FILE: latin1 })).toEqual([`${message} bytes that are no UTF-8`]);
  });
});

describe('text that may travel', () => {
  it('consists of references alone', () => {
    expect(['${A}', '${A}${B_1}'].filter(isReferencesAlone)).toEqual(['${A}', '${A}${B_1}']);
    expect(['', 'x', '${A}x', 'x${A}', '${A:-x}', '${A}\n', '$A', '${A} ${B}'].filter(isReferencesAlone)).toEqual([]);
  });
});
