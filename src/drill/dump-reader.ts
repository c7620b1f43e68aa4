import { cutStatement, startsRows, type SqlToken } from '../sources/postgres/sql-statements.js';

/** What stands in a plain dump, in its order; texts are its bytes as latin1. */
export interface DumpHandler {
  /** Comments and blanks before a statement, or at the end. */
  comments(text: string): void;
  statement(text: string, tokens: readonly SqlToken[]): void;
  /** A row of the COPY statement before it, without its line end; the bytes are only lent. */
  row(bytes: Buffer, start: number, end: number): void;
}

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const FULL_STOP = 0x2e;

/**
 * Reads a plain dump, given in pieces of any size, once and in memory of its longest row or statement. It tells statements
 * as PostgreSQL does, so that nothing within rows, strings and function bodies is taken for one. Lines of psql's own are
 * passed over.
 */
export class DumpReader {
  readonly #handler: DumpHandler;
  /** Bytes of a row or statement whose end is still to come. */
  #pending: Buffer[] = [];
  #inRows = false;
  /** The rest of the line of a COPY statement is no row. */
  #isBeforeRows = false;

  constructor(handler: DumpHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    const rest = this.#inRows ? this.#finishRow(chunk) : Buffer.concat([...this.#takePending(), chunk]);
    if (rest !== undefined) this.#read(rest, false);
  }

  end(): void {
    this.#read(Buffer.concat(this.#takePending()), true);
  }

  #takePending(): Buffer[] {
    const pending = this.#pending;
    this.#pending = [];
    return pending;
  }

  /** A row that began in other pieces, looked for in this one alone; what follows it, or undefined where it goes on. */
  #finishRow(chunk: Buffer): Buffer | undefined {
    if (this.#pending.length === 0) return chunk;
    const end = chunk.indexOf(NEWLINE);
    this.#pending.push(chunk.subarray(0, end < 0 ? chunk.length : end));
    if (end < 0) return undefined;
    const row = Buffer.concat(this.#takePending());
    this.#row(row, 0, row.length);
    return chunk.subarray(end + 1);
  }

  #read(bytes: Buffer, isLast: boolean): void {
    let text: string | undefined;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#inRows
        ? this.#readRow(bytes, at)
        : this.#readStatement((text ??= bytes.toString('latin1')), at, isLast);
      if (next === undefined) break;
      at = next;
    }
    const rest = at === 0 ? bytes : bytes.subarray(at);
    if (isLast && !this.#inRows) this.#handler.comments(rest.toString('latin1'));
    else if (rest.length > 0) this.#pending = [rest];
  }

  #readRow(bytes: Buffer, start: number): number | undefined {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) return undefined;
    this.#row(bytes, start, end);
    return end + 1;
  }

  #row(bytes: Buffer, start: number, end: number): void {
    const isEnd = end - start === 2 && bytes[start] === BACKSLASH && bytes[start + 1] === FULL_STOP;
    if (this.#isBeforeRows) this.#isBeforeRows = false;
    else if (isEnd) this.#inRows = false;
    else this.#handler.row(bytes, start, end);
  }

  #readStatement(text: string, at: number, isLast: boolean): number | undefined {
    const cut = cutStatement(text, at, isLast);
    if (cut?.kind !== 'statement') {
      if (cut !== undefined) this.#handler.comments(text.slice(at, cut.end));
      return cut?.end;
    }
    const before = cut.tokens[0]?.start ?? 0;
    const start = at + before;
    this.#handler.comments(text.slice(at, start));
    const tokens = cut.tokens.map((token) => ({ ...token, start: token.start - before }));
    this.#handler.statement(text.slice(start, cut.end), tokens);
    this.#inRows = this.#isBeforeRows = startsRows(cut.tokens);
    return cut.end;
  }
}
