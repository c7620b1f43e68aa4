/** A piece of a dump: whole statements, their bytes as latin1 text, are told from what passes through unread. */
export type SqlPiece =
  | SqlStatement
  /** Of the COPY statement before, or a part of them, with the line that ends them. */
  | { kind: 'rows'; bytes: Buffer }
  /** A line of psql's own, or what stands behind the last statement. */
  | { kind: 'other'; bytes: Buffer };

export interface SqlStatement {
  kind: 'statement';
  /** With the blanks and comments before it. */
  text: string;
  tokens: SqlToken[];
}

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
const END_OF_ROWS = Buffer.from('\n\\.\n');

/**
 * Cuts a plain dump, given in pieces of any size, at the ends of its statements. The rows after `COPY … FROM stdin;` and
 * lines of psql's own (`\restrict …`) are not read, whatever they look like. Pieces may share the memory of what was pushed.
 */
export class StatementSplitter {
  #bytes: Buffer = Buffer.alloc(0);
  #inRows = false;

  push(chunk: Buffer): SqlPiece[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    return this.#cut(false);
  }

  /** What is left at the end of the dump. */
  end(): SqlPiece[] {
    const pieces = this.#cut(true);
    const rest = this.#take(this.#bytes.length);
    return rest.length === 0 ? pieces : [...pieces, { kind: this.#inRows ? 'rows' : 'other', bytes: rest }];
  }

  #cut(isLast: boolean): SqlPiece[] {
    const pieces: SqlPiece[] = [];
    while (this.#bytes.length > 0) {
      const before = this.#bytes.length;
      pieces.push(...(this.#inRows ? this.#rows() : this.#statements(isLast)));
      if (this.#bytes.length === before) break;
    }
    return pieces;
  }

  #rows(): SqlPiece[] {
    const end = this.#bytes.indexOf(END_OF_ROWS);
    if (end >= 0) this.#inRows = false;
    // Without an end in sight, the last bytes may be the beginning of one.
    const length = end >= 0 ? end + END_OF_ROWS.length : this.#bytes.length - END_OF_ROWS.length + 1;
    return length <= 0 ? [] : [{ kind: 'rows', bytes: this.#take(length) }];
  }

  /** As many as there are before rows begin. */
  #statements(isLast: boolean): SqlPiece[] {
    const pieces: SqlPiece[] = [];
    const text = this.#bytes.toString('latin1');
    let at = 0;
    while (!this.#inRows) {
      const cut = cutStatement(text, at, isLast);
      if (cut === undefined) break;
      if (cut.kind === 'data') pieces.push({ kind: 'other', bytes: this.#bytes.subarray(at, cut.end) });
      else {
        this.#inRows = startsRows(cut.tokens);
        pieces.push({ kind: 'statement', text: text.slice(at, cut.end), tokens: cut.tokens });
      }
      at = cut.end;
    }
    this.#take(at);
    return pieces;
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
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
