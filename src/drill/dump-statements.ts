import type { SqlToken } from '../sources/postgres/sql-statements.js';

/** What a statement says that no restore may change, however it is spelled. `what` completes `differs in …`. */
export interface Fact {
  what:
    | 'owner'
    | 'roles'
    | 'privileges'
    | 'comment'
    | 'security label'
    | 'value'
    | 'columns'
    | 'tablespace'
    | 'access method';
  text: string;
}

/** The words of a statement; what is in quotes stays as it is. */
export function wordsOf(tokens: readonly SqlToken[]): string[] {
  return tokens.map(({ text }) => (/^[A-Za-z]/.test(text) ? text.toUpperCase() : text));
}

/** Undefined: a definition, whose text PostgreSQL writes itself and may write in another way the second time. */
export function factOf(text: string, words: readonly string[]): Fact | undefined {
  const begins = (...expected: string[]) => expected.every((word, index) => words[index] === word);
  if (begins('ALTER') && words.at(-4) === 'OWNER' && words.at(-3) === 'TO') return { what: 'owner', text };
  if (begins('GRANT') || begins('REVOKE') || begins('ALTER', 'DEFAULT', 'PRIVILEGES'))
    return { what: 'privileges', text };
  if (begins('COMMENT', 'ON')) return { what: 'comment', text };
  if (begins('SECURITY', 'LABEL')) return { what: 'security label', text };
  if (begins('SELECT') && words[3] === 'SETVAL') return { what: 'value', text };
  if (begins('COPY')) return { what: 'columns', text };
  return undefined;
}

/** Of `CREATE TABLE name (…)`: names and types of the columns in their order, without defaults and conditions. */
export function columnsOf(words: readonly string[], tokens: readonly SqlToken[]): string | undefined {
  const isTable = words[0] === 'CREATE' && words.slice(1, 4).includes('TABLE');
  const open = tokens.findIndex(({ text }) => text === '(');
  if (!isTable || open < 0) return undefined;
  return itemsOf(tokens.slice(open + 1))
    .map(columnOf)
    .join(', ');
}

/** The roles of `CREATE POLICY … TO a, b`, whose order is that of their making, and the statement without them. */
export function rolesOfPolicy(
  text: string,
  words: readonly string[],
  tokens: readonly SqlToken[],
): { roles: Fact; rest: string } | undefined {
  if (words[0] !== 'CREATE' || words[1] !== 'POLICY') return undefined;
  const conditions = words.findIndex((word, index) => index > 2 && ['USING', 'WITH', ';'].includes(word));
  const start = words.indexOf('TO') + 1;
  if (start === 0 || start > conditions) return undefined;
  const roles = tokens.slice(start, conditions);
  const [first, next] = [roles[0], tokens[conditions]];
  if (first === undefined || next === undefined) return undefined;
  const names = roles.map((token) => token.text).filter((name) => name !== ',');
  const rest = text.slice(0, first.start) + text.slice(next.start);
  return { roles: { what: 'roles', text: names.sort().join(', ') }, rest };
}

/** What stands between the commas of a list in parentheses whose opening one is passed. */
function itemsOf(tokens: readonly SqlToken[]): SqlToken[][] {
  const items: SqlToken[][] = [[]];
  let depth = 1;
  for (const token of tokens) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth === 0) break;
    if (token.text === ',' && depth === 1) items.push([]);
    else items.at(-1)?.push(token);
  }
  return items;
}

/** Where an expression may follow. */
const EXPRESSIONS = ['DEFAULT', 'GENERATED', 'CONSTRAINT', 'CHECK'];

function columnOf(item: readonly SqlToken[]): string {
  const words = wordsOf(item);
  const end = words.findIndex((word) => EXPRESSIONS.includes(word));
  const isNotNull = end >= 0 && words.some((word, index) => word === 'NOT' && words[index + 1] === 'NULL');
  const kept = (end < 0 ? item : item.slice(0, words[0] === 'CONSTRAINT' ? 2 : end)).map(({ text }) => text);
  return [...kept, ...(isNotNull ? ['NOT NULL'] : [])].join(' ');
}
