import { StatementSplitter, type SqlToken } from '../sources/postgres/sql-statements.js';
import { quoteIdentifier } from '../sources/postgres/quoting.js';
import type { DumpContents } from './dump-contents.js';
import { wordsOf } from './dump-statements.js';

/** How the roles of a cluster are made again. */
export interface ClusterRoles {
  /** Whom the cluster is born with, if that is known: what a superuser grants without a right of its own is granted by that one. */
  bootstrap: string | undefined;
  /** Statements that make all others, their bytes as latin1. */
  statements: string[];
}

const USUAL_BOOTSTRAP = 'postgres';

/**
 * Roles as the globals of a server make them, their bytes as latin1. `initdb` makes the first superuser, so its own statement
 * is left out; directories of tablespaces are not there, so tablespaces get places in the cluster.
 */
export function rolesOfGlobals(sql: string): ClusterRoles {
  const statements = statementsOf(sql);
  const bootstrap = bootstrapOf(statements);
  const kept = statements.filter(({ words, tokens }) => !(isCreateRole(words) && nameOf(tokens[2]) === bootstrap));
  return { bootstrap: bootstrap && textOf(bootstrap), statements: kept.map(withoutPlace) };
}

/**
 * What a dump needs where no globals are known: nothing but names. Owners of what only superusers may own are superusers, and
 * nobody else, since their grants would count as the owner's.
 */
export function rolesByName(roles: readonly string[], contents: DumpContents): ClusterRoles {
  const superusers = new Set(superuserOwners(contents));
  const isOurs = (role: string) => role !== USUAL_BOOTSTRAP && !role.startsWith('pg_');
  const statements = [...new Set(roles)].filter(isOurs).map((role) => {
    const attribute = superusers.has(bytesOf(role)) ? ' SUPERUSER' : '';
    return `CREATE ROLE ${bytesOf(quoteIdentifier(role))} NOLOGIN${attribute};`;
  });
  return { bootstrap: USUAL_BOOTSTRAP, statements };
}

/** Names of tablespaces as SQL spells them; those that a statement makes already are left out. */
export function tablespaceStatements(names: Iterable<string>, before: readonly string[]): string[] {
  const made = new Set(before.filter((text) => text.includes(CREATE_TABLESPACE)).map((text) => tokenAfter(text)));
  return [...names].filter((name) => !made.has(name)).map((name) => `${CREATE_TABLESPACE} ${name} LOCATION '';`);
}

const CREATE_TABLESPACE = 'CREATE TABLESPACE';

function tokenAfter(text: string): string {
  return /CREATE TABLESPACE ("(?:[^"]|"")*"|\S+)/.exec(text)?.[1] ?? '';
}

export interface Statement {
  text: string;
  tokens: readonly SqlToken[];
  words: readonly string[];
}

/** What a dump of globals states, its bytes as latin1. */
export function statementsOf(sql: string): Statement[] {
  const splitter = new StatementSplitter();
  const pieces = [...splitter.push(Buffer.from(sql, 'latin1')), ...splitter.end()];
  return pieces
    .filter((piece) => piece.kind === 'statement')
    .map(({ text, tokens }) => ({ text, tokens, words: wordsOf(tokens) }));
}

/**
 * pg_dumpall does not say who it was. From PostgreSQL 16 on it alone grants without having been granted: the superuser who
 * granted most; else `postgres`, else the first superuser there is.
 */
function bootstrapOf(statements: readonly Statement[]): string | undefined {
  const superusers = statements
    .filter(({ words }) => words[0] === 'ALTER' && words[1] === 'ROLE' && words.includes('SUPERUSER'))
    .map(({ tokens }) => nameOf(tokens[2]));
  const grantors = statements
    .filter(({ words }) => words[0] === 'GRANT' && words.at(-3) === 'BY')
    .map(({ tokens }) => nameOf(tokens.at(-2)))
    .filter((name) => superusers.includes(name));
  const countOf = (name: string) => grantors.filter((each) => each === name).length;
  const [busiest] = [...new Set(grantors)].sort((one, other) => countOf(other) - countOf(one));
  if (busiest !== undefined) return busiest;
  return superusers.includes(USUAL_BOOTSTRAP) ? USUAL_BOOTSTRAP : superusers[0];
}

function isCreateRole(words: readonly string[]): boolean {
  return words[0] === 'CREATE' && words[1] === 'ROLE';
}

function withoutPlace({ text, tokens, words }: Statement): string {
  const place = tokens[words.indexOf('LOCATION') + 1];
  if (words[0] !== 'CREATE' || words[1] !== 'TABLESPACE' || place === undefined) return text;
  return `${text.slice(0, place.start)}''${text.slice(place.start + place.text.length)}`;
}

function superuserOwners({ entries }: DumpContents): string[] {
  return [...entries.values()]
    .flat()
    .filter(({ type }) => ['EVENT TRIGGER', 'FOREIGN DATA WRAPPER', 'SUBSCRIPTION'].includes(type))
    .flatMap(({ facts }) => facts.filter(({ what }) => what === 'owner').map(({ text }) => text));
}

/** The name that a token means. */
export function nameOf(token: SqlToken | undefined): string {
  const text = token?.text ?? '';
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

function textOf(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
