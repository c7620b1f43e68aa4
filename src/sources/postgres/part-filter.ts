import type { TableName } from '../../domain/table-names.js';
import { decodeBytes } from './connection.js';
import type { SqlFilter } from './load.js';
import { StatementSplitter, type SqlPiece, type SqlStatement, type SqlToken } from './sql-statements.js';
import { TableChoice, textOf, type WantedTables } from './table-choice.js';

type Table = Required<TableName>;

/**
 * Leaves out of a plain dump the rows of all tables but some, large objects, and the foreign keys that would point from a row that is
 * restored to one that is not. All definitions and the values of sequences pass. `end` fails where the dump lacks what was asked for.
 */
export class PartFilter implements SqlFilter {
  readonly #splitter = new StatementSplitter();
  readonly #choice: TableChoice;
  readonly #target: string;
  readonly #leftOut = { tables: new Set<string>(), largeObjects: 0, foreignKeys: [] as string[], views: 0 };
  readonly #droppedKeys = new Set<string>();
  #dropsRows = false;
  /** Their tables are known by their rows alone. */
  #hasExtensions = false;
  #isBeforeRows = true;

  constructor(target: string, wanted: WantedTables) {
    this.#target = target;
    this.#choice = new TableChoice(wanted);
  }

  /** What a person has to know of what is not there. */
  get warnings(): string[] {
    const { tables, largeObjects, foreignKeys, views } = this.#leftOut;
    return [
      ...(tables.size === 0 ? [] : [`left out the rows of ${counted(tables.size, 'other table')}`]),
      ...(largeObjects === 0 ? [] : [`left out ${counted(largeObjects, 'large object')}`]),
      ...(views === 0 ? [] : [`${counted(views, 'materialized view')} made from what the tables have now`]),
      ...foreignKeys,
    ];
  }

  push(chunk: Buffer): Buffer {
    return this.#pass(this.#splitter.push(chunk));
  }

  end(): Buffer {
    const rest = this.#pass(this.#splitter.end());
    this.#choice.requireAll(this.#target);
    return rest;
  }

  #pass(pieces: readonly SqlPiece[]): Buffer {
    return Buffer.concat(
      pieces.flatMap((piece) => {
        if (piece.kind === 'rows') return this.#dropsRows ? [] : [piece.bytes];
        if (piece.kind === 'other') return [piece.bytes];
        return this.#passes(piece) ? [Buffer.from(piece.text, 'latin1')] : [];
      }),
    );
  }

  #passes(statement: SqlStatement): boolean {
    const { tokens } = statement;
    const words = tokens.map(({ text }) => text.toUpperCase());
    const begins = (...expected: string[]) => expected.every((word, index) => words[index] === word);
    if (begins('COPY')) return this.#passesRows(statement);
    if (begins('SELECT', 'PG_CATALOG', '.')) return !this.#isLargeObject(words[3] ?? '');
    if (isAboutLargeObject(words)) return false;
    if (begins('CREATE')) this.#noteTable(words, tokens);
    if (begins('CREATE', 'EXTENSION') && !words.includes('PLPGSQL')) this.#hasExtensions = true;
    if (begins('REFRESH', 'MATERIALIZED')) this.#leftOut.views += 1;
    if (begins('ALTER', 'TABLE')) return this.#passesTableChange(words, tokens);
    if (begins('COMMENT', 'ON', 'CONSTRAINT')) return !this.#isAboutDropped(tokens);
    return true;
  }

  /** Every table is defined before the first rows, so that a name which is wrong is told at once. */
  #passesRows({ text, tokens }: SqlStatement): boolean {
    if (this.#isBeforeRows && !this.#hasExtensions) this.#choice.requireAll(this.#target);
    this.#isBeforeRows = false;
    const table = readName(tokens, 1)?.table;
    if (table === undefined) return true;
    this.#choice.add(table);
    const isKept = this.#choice.includes(table) || this.#choice.includes(partitionOf(text, tokens) ?? table);
    this.#dropsRows = !isKept;
    if (!isKept) this.#leftOut.tables.add(textOf(table));
    return isKept;
  }

  #isLargeObject(name: string): boolean {
    if (name === 'LO_CREATE') this.#leftOut.largeObjects += 1;
    return name.startsWith('LO_') || name === 'LOWRITE';
  }

  #noteTable(words: readonly string[], tokens: readonly SqlToken[]): void {
    const at = words.indexOf('TABLE');
    const named = at > 0 && at < 3 ? readName(tokens, at + 1) : undefined;
    if (named !== undefined) this.#choice.add(named.table, parentsOf(words, tokens, named.next));
  }

  #passesTableChange(words: readonly string[], tokens: readonly SqlToken[]): boolean {
    const named = readName(tokens, words[2] === 'ONLY' ? 3 : 2);
    if (named === undefined) return true;
    const { table, next } = named;
    const follows = (...expected: string[]) => expected.every((word, index) => words[next + index] === word);
    if (follows('ATTACH', 'PARTITION')) {
      const part = readName(tokens, next + 2);
      if (part !== undefined) this.#choice.add(part.table, [table]);
    }
    const isKey = follows('ADD', 'CONSTRAINT') && words[next + 3] === 'FOREIGN' && words[next + 4] === 'KEY';
    const there = isKey ? readName(tokens, words.indexOf('REFERENCES', next) + 1)?.table : undefined;
    if (there === undefined) return true;
    if (!this.#choice.hasRows(table) || this.#choice.isWhole(there)) return true;
    const key = tokens[next + 2]?.text ?? '';
    this.#droppedKeys.add(`${key} ${textOf(table)}`);
    this.#leftOut.foreignKeys.push(
      `left out the foreign key ${decodeBytes(key)} of ${textOf(table)}: the rows of ${textOf(there)}, which it points to, are not restored`,
    );
    return false;
  }

  #isAboutDropped(tokens: readonly SqlToken[]): boolean {
    const table = readName(tokens, 5)?.table;
    return table !== undefined && this.#droppedKeys.has(`${tokens[3]?.text ?? ''} ${textOf(table)}`);
  }
}

const ABOUT = ['ALTER', 'COMMENT', 'GRANT', 'REVOKE', 'SECURITY'];

/** Names that read so are in quotes. */
function isAboutLargeObject(words: readonly string[]): boolean {
  return (
    ABOUT.includes(words[0] ?? '') && words.some((word, index) => word === 'LARGE' && words[index + 1] === 'OBJECT')
  );
}

/** Rows of a partition that go by way of their table name it in a comment. */
function partitionOf(text: string, tokens: readonly SqlToken[]): Table | undefined {
  const before = text.slice(0, tokens[0]?.start ?? 0);
  if (!/^-- load via partition root /m.test(before)) return undefined;
  const [, name, schema] = /^-- Data for Name: (.*); Type: TABLE DATA; Schema: (.*); Owner: /m.exec(before) ?? [];
  return name === undefined || schema === undefined
    ? undefined
    : { schema: decodeBytes(schema), name: decodeBytes(name) };
}

/** `schema . table` from there on, and where it ends. */
function readName(tokens: readonly SqlToken[], at: number): { table: Table; next: number } | undefined {
  const [schema, dot, name] = tokens.slice(at, at + 3);
  if (schema === undefined || dot?.text !== '.' || name === undefined) return undefined;
  return { table: { schema: meant(schema), name: meant(name) }, next: at + 3 };
}

function meant({ text }: SqlToken): string {
  return decodeBytes(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
}

/** Of `PARTITION OF a` and `(…) INHERITS (a, b)`. */
function parentsOf(words: readonly string[], tokens: readonly SqlToken[], next: number): Table[] {
  if (words[next] === 'PARTITION') return [readName(tokens, next + 2)?.table].filter((table) => table !== undefined);
  let depth = 0;
  for (let at = next; at < tokens.length; at++) {
    if (words[at] === '(') depth += 1;
    if (words[at] === ')') depth -= 1;
    if (depth === 0 && words[at] === 'INHERITS') return readNames(tokens, at + 2);
  }
  return [];
}

function readNames(tokens: readonly SqlToken[], at: number): Table[] {
  const named = readName(tokens, at);
  if (named === undefined) return [];
  return [named.table, ...(tokens[named.next]?.text === ',' ? readNames(tokens, named.next + 1) : [])];
}

function counted(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? '' : 's'}`;
}
