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
    const cut = cutStatement(this.#text, 0, isLast);
    if (cut === undefined) return undefined;
    if (cut.kind === 'data') return { kind: 'data', text: this.#take(cut.end) };
    this.#inRows = startsRows(cut.tokens);
    return { kind: 'statement', text: this.#take(cut.end), tokens: cut.tokens };
  }

  #take(length: number): string {
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return taken;
  }
}

/** Where a statement, or a line of psql's own, ends in a text. */
export type SqlCut = { kind: 'statement'; end: number; tokens: SqlToken[] } | { kind: 'data'; end: number };

/** The one that begins at `from`, with the blanks and comments before it; undefined where more text is needed to tell. */
export function cutStatement(text: string, from: number, isLast: boolean): SqlCut | undefined {
  const tokens: SqlToken[] = [];
  let depth = 0;
  for (let start = from; start < text.length;) {
    const end = tokenEnd(text, start, isLast);
    if (end === undefined) return undefined;
    const token = text.slice(start, end);
    if (token === '\\' && tokens.length === 0) return cutMetaCommand(text, start, isLast);
    if (!/^(?:\s|--)/.test(token)) tokens.push({ text: token, start: start - from });
    start = end;
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === ';' && depth <= 0) return { kind: 'statement', end, tokens };
  }
  return undefined;
}

function cutMetaCommand(text: string, start: number, isLast: boolean): SqlCut | undefined {
  const end = text.indexOf('\n', start);
  if (end < 0 && !isLast) return undefined;
  return { kind: 'data', end: end < 0 ? text.length : end + 1 };
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

/** Whether rows follow the statement: `COPY … FROM stdin;`. */
export function startsRows(tokens: readonly SqlToken[]): boolean {
  const [from, stdin] = tokens.slice(-3).map(({ text }) => text.toUpperCase());
  return tokens[0]?.text.toUpperCase() === 'COPY' && from === 'FROM' && stdin === 'STDIN';
}
