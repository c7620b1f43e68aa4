import type { SqlFilter } from './load.js';
import { StatementSplitter, type SqlPiece, type SqlStatement, type SqlToken } from './sql-statements.js';

/** A PUBLIC without quotes is no role, and always there. */
const EVERYBODY = 'PUBLIC';

/**
 * Leaves out of a plain dump what makes or needs owners and missing roles: every OWNER TO and SESSION AUTHORIZATION, and
 * privileges, default privileges, policies and user mappings of roles that `roles` does not hold. It reads statements as
 * PostgreSQL does, so rows, strings and function bodies that look like such statements pass.
 */
export class OwnerFilter implements SqlFilter {
  readonly #splitter = new StatementSplitter();
  readonly #roles: ReadonlySet<string>;
  readonly #droppedPolicies = new Set<string>();
  #leftOutCount = 0;

  /** `roles`: those of the server. */
  constructor(roles: Iterable<string>) {
    // Names of roles are the same bytes in every database, whatever its encoding.
    this.#roles = new Set([...roles].map((role) => Buffer.from(role, 'utf8').toString('latin1')));
  }

  /** How many statements were left out or changed so far. */
  get leftOutCount(): number {
    return this.#leftOutCount;
  }

  push(chunk: Buffer): Buffer {
    return this.#pass(this.#splitter.push(chunk));
  }

  end(): Buffer {
    return this.#pass(this.#splitter.end());
  }

  #pass(pieces: readonly SqlPiece[]): Buffer {
    return Buffer.concat(
      pieces.map((piece) =>
        piece.kind === 'statement' ? Buffer.from(this.#passStatement(piece), 'latin1') : piece.bytes,
      ),
    );
  }

  #passStatement({ text, tokens }: SqlStatement): string {
    const passed = this.#withoutRoles(text, tokens);
    if (passed !== text) this.#leftOutCount += 1;
    return passed;
  }

  #withoutRoles(text: string, tokens: readonly SqlToken[]): string {
    const words = tokens.map((token) => token.text.toUpperCase());
    const begins = (...expected: string[]) => expected.every((word, index) => words[index] === word);
    if (begins('SET', 'SESSION', 'AUTHORIZATION') || begins('RESET', 'SESSION', 'AUTHORIZATION')) return '';
    if (begins('CREATE', 'POLICY')) return this.#policy(text, tokens, words);
    if (begins('COMMENT', 'ON', 'POLICY')) {
      return this.#droppedPolicies.has(policyName(tokens.slice(3, words.lastIndexOf('IS')))) ? '' : text;
    }
    if (begins('CREATE', 'USER', 'MAPPING', 'FOR')) return this.#isMissing(tokens[4]) ? '' : text;
    if (begins('ALTER', 'DEFAULT', 'PRIVILEGES', 'FOR', 'ROLE')) {
      return this.#isMissing(tokens[5]) || this.#namesMissing(words, tokens) ? '' : text;
    }
    if (begins('GRANT') || begins('REVOKE')) return this.#namesMissing(words, tokens) ? '' : text;
    if (begins('ALTER') && words.at(-4) === 'OWNER' && words.at(-3) === 'TO') return '';
    return text;
  }

  /** Of `GRANT … TO a, b` and `REVOKE … FROM a, b`: names that read TO or FROM are always quoted. */
  #namesMissing(words: readonly string[], tokens: readonly SqlToken[]): boolean {
    const last = Math.max(words.lastIndexOf('TO'), words.lastIndexOf('FROM'));
    return this.#roleList(tokens, last + 1).some((token) => this.#isMissing(token));
  }

  #policy(text: string, tokens: readonly SqlToken[], words: readonly string[]): string {
    const firstCondition = ['USING', 'WITH'].map((word) => words.indexOf(word)).filter((index) => index > 0);
    const to = words.indexOf('TO');
    if (to < 0 || to > Math.min(...firstCondition)) return text;
    const listed = this.#roleList(tokens, to + 1);
    const kept = listed.filter((token) => !this.#isMissing(token));
    const [first, last] = [listed[0], listed.at(-1)];
    if (kept.length === listed.length || first === undefined || last === undefined) return text;
    if (kept.length > 0) {
      const list = kept.map((token) => token.text).join(', ');
      return text.slice(0, first.start) + list + text.slice(last.start + last.text.length);
    }
    // For everybody instead of for nobody would open what a role was meant to see alone.
    const end = words.findIndex((word, index) => index > 2 && ['AS', 'FOR', 'TO'].includes(word));
    this.#droppedPolicies.add(policyName(tokens.slice(2, end)));
    return '';
  }

  #roleList(tokens: readonly SqlToken[], start: number): SqlToken[] {
    const roles: SqlToken[] = [];
    for (let index = start; index < tokens.length; index += 2) {
      const role = tokens[index];
      if (role !== undefined) roles.push(role);
      if (tokens[index + 1]?.text !== ',') break;
    }
    return roles;
  }

  #isMissing(token: SqlToken | undefined): boolean {
    if (token === undefined || token.text.toUpperCase() === EVERYBODY) return false;
    const isQuoted = token.text.startsWith('"');
    return !this.#roles.has(isQuoted ? token.text.slice(1, -1).replaceAll('""', '"') : token.text);
  }
}

/** `name ON schema . table`, as both CREATE POLICY and COMMENT ON POLICY spell it. */
function policyName(tokens: readonly SqlToken[]): string {
  return tokens.map((token) => token.text).join(' ');
}
