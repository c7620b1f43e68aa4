/** A piece of a dump, its bytes as latin1 text: whole statements are told from what passes through unread. */
export type SqlPiece = { kind: 'statement'; text: string; tokens: SqlToken[] } | { kind: 'data'; text: string };

export interface SqlToken {
  text: string;
  /** Where it begins in the statement's text. */
  start: number;
}

/**
 * The tokens of PostgreSQL's SQL as far as quotes go: blanks, line comments, quoted names, E'' and plain strings, dollar
 * quotes, words, numbers; then any one character. All server encodings leave ASCII bytes to ASCII, so bytes will do.
 */
const TOKEN = new RegExp(
  [
    '\\s+',
    '--[^\\n]*\\n',
    '"[^"]*(?:""[^"]*)*"',
    "[eE]'[^'\\\\]*(?:(?:''|\\\\[^])[^'\\\\]*)*'",
    "'[^']*(?:''[^']*)*'",
    '\\$((?:[A-Za-z_\\x80-\\xff][\\w\\x80-\\xff]*)?)\\$[^]*?\\$\\1\\$',
    // Not the E of a string whose end is still to come.
    "(?![eE]')[A-Za-z_\\x80-\\xff][\\w$\\x80-\\xff]*",
    '\\d[\\w.]*',
  ].join('|'),
  'y',
);
/** What begins a token that may need more text than there is yet. */
const OPENING = /--|["']|[eE]'|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?(?:\$|$)/y;
const END_OF_DATA = '\n\\.\n';

/**
 * Cuts a plain dump, given in pieces of any size, at the ends of its statements. The rows after `COPY … FROM stdin;` and
 * lines of psql's own (`\restrict …`) are `data`, whatever they look like.
 */
export class StatementSplitter {
  #text = '';
  #inRows = false;

  push(chunk: Buffer): SqlPiece[] {
    this.#text += chunk.toString('latin1');
    return this.#cut(false);
  }

  /** What is left at the end of the dump. */
  end(): SqlPiece[] {
    const pieces = this.#cut(true);
    return this.#text === '' ? pieces : [...pieces, { kind: 'data', text: this.#take(this.#text.length) }];
  }

  #cut(isLast: boolean): SqlPiece[] {
    const pieces: SqlPiece[] = [];
    for (;;) {
      const piece = this.#inRows ? this.#rows() : this.#statement(isLast);
      if (piece === undefined) return pieces;
      pieces.push(piece);
    }
  }

  #rows(): SqlPiece | undefined {
    const end = this.#text.indexOf(END_OF_DATA);
    if (end >= 0) this.#inRows = false;
    // Without an end in sight, the last bytes may be the beginning of one.
    const length = end >= 0 ? end + END_OF_DATA.length : this.#text.length - END_OF_DATA.length + 1;
    return length <= 0 ? undefined : { kind: 'data', text: this.#take(length) };
  }

  #statement(isLast: boolean): SqlPiece | undefined {
    const tokens: SqlToken[] = [];
    let depth = 0;
    for (let start = 0; start < this.#text.length;) {
      const end = tokenEnd(this.#text, start, isLast);
      if (end === undefined) return undefined;
      const text = this.#text.slice(start, end);
      if (text === '\\' && tokens.length === 0) return this.#metaCommand(start, isLast);
      if (!/^(?:\s|--)/.test(text)) tokens.push({ text, start });
      start = end;
      if (text === '(') depth += 1;
      if (text === ')') depth -= 1;
      if (text === ';' && depth <= 0) {
        this.#inRows = startsRows(tokens);
        return { kind: 'statement', text: this.#take(end), tokens };
      }
    }
    return undefined;
  }

  #metaCommand(start: number, isLast: boolean): SqlPiece | undefined {
    const end = this.#text.indexOf('\n', start);
    if (end < 0 && !isLast) return undefined;
    return { kind: 'data', text: this.#take(end < 0 ? this.#text.length : end + 1) };
  }

  #take(length: number): string {
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return taken;
  }
}

/** Where the token at `start` ends; undefined where more text is needed to tell. */
function tokenEnd(text: string, start: number, isLast: boolean): number | undefined {
  TOKEN.lastIndex = OPENING.lastIndex = start;
  const match = TOKEN.exec(text);
  if (match === null && OPENING.test(text) && !isLast) return undefined;
  const end = match === null ? start + 1 : TOKEN.lastIndex;
  // At the end of the text a word may go on, `''` may be half a quote, `-` half a comment; `;` is always `;`.
  return end === text.length && text[start] !== ';' && !isLast ? undefined : end;
}

function startsRows(tokens: readonly SqlToken[]): boolean {
  const [from, stdin] = tokens.slice(-3).map(({ text }) => text.toUpperCase());
  return tokens[0]?.text.toUpperCase() === 'COPY' && from === 'FROM' && stdin === 'STDIN';
}
