import type { SqlToken } from '../sources/postgres/sql-statements.js';
import { DumpReader, type DumpHandler } from './dump-reader.js';
import { columnsOf, factOf, rolesOfPolicy, wordsOf, type Fact } from './dump-statements.js';
import { LargeObjectSum } from './large-object-sum.js';
import { RowSum } from './row-digest.js';

/** One object of a dump, as its table of contents tells objects apart. Texts are bytes as latin1. */
export interface DumpEntry {
  /** `TABLE public.realm` */
  label: string;
  type: string;
  facts: Fact[];
  /** All other statements. */
  definitions: string[];
}

/** All that is compared of a dump. */
export interface DumpContents {
  /** By label; those of one label are told apart by nothing but what they say (operators of one name). */
  entries: Map<string, DumpEntry[]>;
  /** By the name in their COPY statement. */
  tables: Map<string, RowSum>;
  largeObjects: LargeObjectSum;
  /** The statements that make the schema without its data, in their order. */
  schema: string[];
  /** Those that must be there before the dump can be restored, as SQL spells them. */
  tablespaces: Set<string>;
}

/** `-- Data for Name: realm; Type: TABLE DATA; Schema: public; Owner: lord` */
const HEADER = /^-- (?:Data for )?Name: (.*); Type: (.*); Schema: (.*); Owner: (.*?)(?:; Tablespace: (.*))?$/gm;
/** Their owner is that of the object, which says it itself; members of extensions have one that no dump restores. */
const ABOUT_OTHERS = new Set(['ACL', 'COMMENT', 'SECURITY LABEL', 'DEFAULT ACL']);
const DATA = new Set(['TABLE DATA', 'SEQUENCE SET', 'MATERIALIZED VIEW DATA']);
const LARGE_OBJECT = /^(?:BLOB|(?:ACL|COMMENT|SECURITY LABEL) LARGE OBJECT)/;

/** Collects the contents of a dump from pieces of any size. */
export class DumpCollector implements DumpHandler {
  readonly #contents: DumpContents = {
    ...{ entries: new Map(), tables: new Map(), largeObjects: new LargeObjectSum() },
    ...{ schema: [], tablespaces: new Set() },
  };
  readonly #reader = new DumpReader(this);
  /** What stands before the first object. */
  #entry = this.#add({ label: 'settings', type: '', facts: [], definitions: [] });
  #rows: RowSum | undefined;
  #accessMethod = '';

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  end(): DumpContents {
    this.#reader.end();
    return this.#contents;
  }

  comments(text: string): void {
    for (const [, name = '', type = '', schema = '', owner = '', tablespace] of text.matchAll(HEADER)) {
      const facts: Fact[] = ABOUT_OTHERS.has(type) ? [] : [{ what: 'owner', text: flat(owner) }];
      if (tablespace !== undefined) facts.push({ what: 'tablespace', text: flat(tablespace) });
      const label = flat(`${type} ${schema === '-' ? '' : `${schema}.`}${name}`);
      this.#entry = this.#add({ label, type: flat(type), facts, definitions: [] });
    }
  }

  statement(text: string, tokens: readonly SqlToken[]): void {
    const { largeObjects, schema } = this.#contents;
    if (LARGE_OBJECT.test(this.#entry.label)) return largeObjects.statement(text);
    const kept = flat(text);
    const words = wordsOf(tokens);
    if (!DATA.has(this.#entry.type)) schema.push(kept);
    if (this.#isStorage(words, tokens)) return;
    const fact = factOf(kept, words);
    const policy = rolesOfPolicy(kept, words, tokens);
    if (fact === undefined) this.#entry.definitions.push(flat(policy?.rest ?? kept));
    this.#entry.facts.push(...[fact, policy?.roles].filter((each) => each !== undefined));
    this.#entry.facts.push(...this.#tableFacts(words, tokens));
    if (words[0] === 'COPY') this.#rows = this.#rowsOf(tokens);
  }

  row(bytes: Buffer, start: number, end: number): void {
    this.#rows?.add(bytes, start, end);
  }

  #add(entry: DumpEntry): DumpEntry {
    if (LARGE_OBJECT.test(entry.label)) return entry;
    const { entries } = this.#contents;
    entries.set(entry.label, [...(entries.get(entry.label) ?? []), entry]);
    return entry;
  }

  /** Those hold from where they stand, for one object after the other. */
  #isStorage(words: readonly string[], tokens: readonly SqlToken[]): boolean {
    const [verb, setting] = words;
    const value = flat(tokens[3]?.text ?? '');
    if (verb !== 'SET') return false;
    if (setting === 'DEFAULT_TABLE_ACCESS_METHOD') this.#accessMethod = value;
    else if (setting !== 'DEFAULT_TABLESPACE') return false;
    else if (value !== "''") this.#contents.tablespaces.add(value);
    return true;
  }

  #tableFacts(words: readonly string[], tokens: readonly SqlToken[]): Fact[] {
    const columns = columnsOf(words, tokens);
    const facts: Fact[] = columns === undefined ? [] : [{ what: 'columns', text: flat(columns) }];
    // A partitioned table has no rows, and says itself what its partitions take.
    const isStored = /^(TABLE|MATERIALIZED VIEW)$/.test(this.#entry.type) && !words.includes('PARTITION');
    return isStored && words[0] === 'CREATE' ? [...facts, { what: 'access method', text: this.#accessMethod }] : facts;
  }

  /** Partitions that are loaded by way of their table are all copied into that. */
  #rowsOf(tokens: readonly SqlToken[]): RowSum {
    const { tables } = this.#contents;
    const end = tokens.findIndex(({ text }, index) => text === '(' || (index > 1 && text.toUpperCase() === 'FROM'));
    const parts = tokens.slice(1, end).map(({ text }) => text);
    const table = flat(parts.join(''));
    const rows = tables.get(table) ?? new RowSum();
    tables.set(table, rows);
    return rows;
  }
}

/** A text of its own: a part of another one would keep all of that in memory. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
