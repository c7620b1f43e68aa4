import {
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml';
import { ConfigError, type Problem } from './problem.js';

/** What the codes of the YAML parser mean. Its own messages may quote the file, passwords included. */
const YAML_PROBLEMS: Record<string, string> = {
  BAD_ALIAS: 'an alias (*name) has no anchor (&name) before it, or stands within what it names',
  BAD_DQ_ESCAPE: 'a text in double quotes holds an escape that YAML does not know',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_SCALAR_START: 'a text begins with a character that YAML keeps for itself',
  BLOCK_AS_IMPLICIT_KEY: 'two keys stand on one line, or a text with ": " has no quotes',
  BLOCK_IN_FLOW: 'a block begins within brackets',
  COMMENT_SPACE: 'a comment needs a space before its #',
  DUPLICATE_KEY: 'the same key stands here twice',
  MISSING_CHAR: 'a quote, bracket, colon or comma is missing',
  MULTIPLE_DOCS: 'a second document begins (---)',
  MULTILINE_IMPLICIT_KEY: 'a key reaches over several lines: a colon may be missing',
  TAB_AS_INDENT: 'a tab stands where YAML wants spaces',
  TAG_RESOLVE_FAILED: 'a tag (!name) is not known',
  UNEXPECTED_TOKEN: 'something stands where nothing may',
};

export type Path = readonly PropertyKey[];

/** A YAML file whose every value knows its line and column. */
export class YamlSource {
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();

  /** Throws a ConfigError with everything that is no YAML. */
  constructor(
    readonly file: string,
    text: string,
  ) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    const broken = [...this.#document.errors, ...this.#document.warnings, ...badAliases(this.#document)];
    if (broken.length > 0)
      throw new ConfigError(
        file,
        broken.map(({ code, pos }) => this.#brokenAt(code, pos[0])),
      );
  }

  get root(): Node | undefined {
    return this.#document.contents ?? undefined;
  }

  /** What `node` stands for: itself, or the node that an alias names. */
  follow(node: unknown): Node | undefined {
    if (isAlias(node)) return node.resolve(this.#document);
    return (node as Node | null | undefined) ?? undefined;
  }

  /** The value of `key`; undefined where `map` is no mapping or has no such key. */
  valueOf(map: unknown, key: PropertyKey): Node | undefined {
    return this.follow(this.pairOf(map, key)?.value);
  }

  pairOf(map: unknown, key: PropertyKey): YAMLMap['items'][number] | undefined {
    const followed = this.follow(map);
    if (!isMap(followed)) return undefined;
    return followed.items.find((pair) => keyText(pair.key) === String(key));
  }

  problem(node: unknown, message: string, hint: string): Problem {
    const offset = (node as Node | null | undefined)?.range?.[0] ?? 0;
    return { ...this.#position(offset), message, hint };
  }

  #brokenAt(code: string, offset: number): Problem {
    const message = YAML_PROBLEMS[code] ?? `this is no YAML (${code})`;
    return {
      ...this.#position(offset),
      message,
      hint: 'mend the YAML here or on the line before; quote texts that hold : # { [ * & ! % @ `',
    };
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** Aliases of nothing, and those within what they name, which have no end. The parser lets them pass. */
function badAliases(document: Document.Parsed): { code: string; pos: [number, number] }[] {
  const bad: { code: string; pos: [number, number] }[] = [];
  visit(document, {
    Alias(_key, alias, path) {
      const target = alias.resolve(document);
      const at = alias.range?.[0] ?? 0;
      if (target === undefined || path.includes(target)) bad.push({ code: 'BAD_ALIAS', pos: [at, at] });
    },
  });
  return bad;
}

/** A key as text; keys that are lists or mappings have none. */
export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '?';
}

/** A path as people write it: `backup_config.port`, `backup_targets[0]`. */
export function pathText(prefix: string, path: Path): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`)).join('');
  return `${prefix}${text.slice(1)}` || 'the file';
}
