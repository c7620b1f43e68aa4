import { BackupError } from '../domain/errors.js';
import { expandAsCompose, type Lookup } from './env-expansion.js';

// The grammar is docker compose's for `env_file`, statement by statement, so that one file means the same to the
// containers that compose starts and to this service. What compose takes without a word is taken here too.

/** Space as Go's `unicode.IsSpace` means it; `\s` differs by two characters. */
const SPACE = '[\\t\\n\\v\\f\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const SPACES_BEFORE_STATEMENT = new RegExp(`${SPACE}*(?:#[^\\n]*${SPACE}*)*`, 'y');
const SPACES_AT_END = new RegExp(`${SPACE}+$`);
const EXPORT = /export[\t\n\f\r ][\t\v\f\r \x85\xa0]*/y;
const KEY = /([\p{L}\p{N}_.[\]\-\t\v\f\r \x85\xa0]*)([=:\n])[\t\v\f\r \x85\xa0]*/uy;
const QUOTED = /(["'])((?:\\[\s\S]|(?!\1)[^\\])*)\1/y;
const LINE = /([^\n]*)\n?/y;
const ESCAPE = /\\(?:[abcfnrtv$"\\]|0\d{0,3})/g;
const ESCAPED = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '"': '"' };

export interface EnvFileInput {
  /** For messages. */
  file: string;
  text: string;
  /** Asked before the file's own earlier lines, as compose asks its environment; also for lines without a value. */
  lookup: Lookup;
}

/** The variables that an env file sets. Throws a BackupError (`ConfigInvalid`) that names the line, never a value. */
export function parseEnvFile({ file, text, lookup }: EnvFileInput): Record<string, string> {
  const variables = new Map<string, string>();
  // A last line without an end would lose its name.
  const cursor = new Cursor(file, `${text.replace(/^\ufeff/, '')}\n`);
  const expand = (value: string) =>
    cursor.placing(() => expandAsCompose(value, (name) => lookup(name) ?? variables.get(name)));
  while (cursor.skip(SPACES_BEFORE_STATEMENT)) {
    const { name, inherited } = readName(cursor);
    const value = inherited ? lookup(name) : readValue(cursor, expand);
    if (value !== undefined) variables.set(name, value);
  }
  return Object.fromEntries(variables);
}

function readName(cursor: Cursor): { name: string; inherited: boolean } {
  cursor.skip(EXPORT);
  const [, written = '', separator] = cursor.take(KEY) ?? cursor.fail('a line must read NAME=value');
  const name = written.replace(SPACES_AT_END, '');
  if (name === '') cursor.fail('a variable has no name');
  if (name.includes(' ')) cursor.fail('the name of a variable holds a space');
  return { name, inherited: separator === '\n' };
}

function readValue(cursor: Cursor, expand: (value: string) => string): string {
  const quoted = cursor.take(QUOTED);
  if (quoted !== undefined) return unquote(quoted, expand);
  if (cursor.isAt('"') || cursor.isAt("'")) cursor.fail('a quote is opened and never closed');
  const [, line = ''] = cursor.take(LINE) ?? [];
  const beforeComment = line.split(' #', 1)[0] ?? '';
  return expand(beforeComment.replace(SPACES_AT_END, ''));
}

function unquote([, quote, inside = '']: RegExpExecArray, expand: (value: string) => string): string {
  const text = inside.replace(/\\([\s\S])/g, (whole, char: string) => (char === quote ? char : whole));
  return quote === '"' ? expand(text.replace(ESCAPE, unescape)) : text;
}

function unescape(sequence: string): string {
  const char = sequence[1] ?? '';
  if (char === '$') return '$$'; // which the expansion turns into one
  if (char === '0') return unescapeOctal(sequence.slice(2));
  return char in ESCAPED ? ESCAPED[char as keyof typeof ESCAPED] : sequence;
}

/** `\0101` is `A`; what is no byte in three octal digits only loses its zero, as in compose. */
function unescapeOctal(digits: string): string {
  return /^[0-3][0-7]{2}$/.test(digits) ? String.fromCharCode(Number.parseInt(digits, 8)) : `\\${digits}`;
}

/** A place in the text, moved on by sticky patterns. */
class Cursor {
  #at = 0;
  #statementAt = 0;

  constructor(
    private readonly file: string,
    private readonly text: string,
  ) {}

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match ?? undefined;
  }

  /** Whether anything is left behind what `pattern` takes. */
  skip(pattern: RegExp): boolean {
    this.take(pattern);
    this.#statementAt = this.#at;
    return this.#at < this.text.length;
  }

  isAt(char: string): boolean {
    return this.text[this.#at] === char;
  }

  placing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      return this.fail((error as Error).message);
    }
  }

  fail(why: string): never {
    const line = this.text.slice(0, this.#statementAt).split('\n').length;
    throw new BackupError('ConfigInvalid', `cannot use ${this.file}:${String(line)}: because ${why}`, {
      hint: "write NAME=value, or NAME='value' where the value holds $, # or quotes",
    });
  }
}
