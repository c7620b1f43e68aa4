import { decodeBytes } from './connection.js';
import { StatementSplitter, type SqlToken } from './sql-statements.js';

export interface PlanRolesInput {
  /** All of the SQL that pg_dumpall wrote. */
  dump: Buffer;
  /** Names of roles that are needed. */
  wanted: Iterable<string>;
  /** Names of all roles of the server. */
  existing: Iterable<string>;
  /** `server_version_num`. */
  serverVersionNumber: number;
}

/** How missing roles are made; nothing in it touches a role that exists, but that new ones become its members. */
export interface RoleScript {
  /** Names of those that are made, in the order of the dump. */
  roles: string[];
  /** Statements, bytes as the dump has them. Holds password hashes. */
  sql: Buffer;
  /** Takes them away again. */
  undoSql: Buffer;
  /** Wanted ones that the dump does not make. */
  unknown: string[];
  warnings: string[];
}

/** What a role has when nothing is said; saying it takes rights that making a role does not. */
const DEFAULT_ATTRIBUTES = new Set([
  ...['NOSUPERUSER', 'INHERIT', 'NOCREATEROLE', 'NOCREATEDB'],
  ...['NOLOGIN', 'NOREPLICATION', 'NOBYPASSRLS'],
]);
/** Servers before know of a membership whether it may be handed on, and no more. */
const FIRST_WITH_MEMBERSHIP_OPTIONS = 160_000;

interface Statement {
  /** Without what stands before it. */
  text: string;
  tokens: readonly SqlToken[];
  words: readonly string[];
}

/**
 * The statements of a dump that make the wanted roles where they are missing, and the roles that those are members of, with attributes,
 * password hashes, settings, comments and memberships. Reads statements as PostgreSQL does.
 */
export function planRoles(input: PlanRolesInput): RoleScript {
  const statements = statementsOf(input.dump);
  const known = new Set(statements.filter(isCreate).map(({ tokens }) => nameOf(tokens[2])));
  const existing = new Set(input.existing);
  const wanted = [...new Set(input.wanted)].filter((role) => !existing.has(role));
  const made = closureOf(
    wanted.filter((role) => known.has(role)),
    statements,
    { known, existing },
  );
  const isThere = (role: string) => made.has(role) || existing.has(role);
  const kept = statements.flatMap((statement) => keptOf(statement, { ...input, made, isThere }));
  const left = statements.filter((s) => isMembership(s) && made.has(memberOf(s)) && !isThere(grantedOf(s)));
  const creates = statements.filter((statement) => isCreate(statement) && made.has(nameOf(statement.tokens[2])));
  const settings = statements.filter(({ words }) => words[0] === 'SET').map(({ text }) => text);
  const drop = `DROP ROLE ${creates.map(({ tokens }) => tokens[2]?.text ?? '').join(', ')};`;
  return {
    roles: creates.map(({ tokens }) => nameOf(tokens[2])),
    sql: scriptOf(settings, kept),
    undoSql: scriptOf(settings, [drop]),
    unknown: wanted.filter((role) => !known.has(role)),
    warnings: [
      ...left.map((s) => `${memberOf(s)} is no member of ${grantedOf(s)}, which the server lacks`),
      ...(made.size > 0 && !statements.some(hasPassword)
        ? ['the roles have no passwords: their globals hold none']
        : []),
    ],
  };
}

function statementsOf(dump: Buffer): Statement[] {
  const splitter = new StatementSplitter();
  return [...splitter.push(dump), ...splitter.end()]
    .filter((piece) => piece.kind === 'statement')
    .map(({ text, tokens }) => ({
      text: text.slice(tokens[0]?.start ?? 0),
      tokens,
      words: tokens.map((token) => token.text.toUpperCase()),
    }));
}

/** With the missing roles that they are members of, those of these, and so on. */
function closureOf(
  first: readonly string[],
  statements: readonly Statement[],
  { known, existing }: { known: ReadonlySet<string>; existing: ReadonlySet<string> },
): Set<string> {
  const groups = new Map<string, string[]>();
  for (const statement of statements.filter(isMembership)) {
    const member = memberOf(statement);
    groups.set(member, [...(groups.get(member) ?? []), grantedOf(statement)]);
  }
  const made = new Set(first);
  for (const role of made) {
    for (const group of groups.get(role) ?? []) if (known.has(group) && !existing.has(group)) made.add(group);
  }
  return made;
}

interface Keeping extends Pick<PlanRolesInput, 'serverVersionNumber'> {
  made: ReadonlySet<string>;
  isThere: (role: string) => boolean;
}

/** What becomes of a statement: as it is, in other words, or nothing. */
function keptOf(statement: Statement, { made, isThere, serverVersionNumber }: Keeping): string[] {
  const { words, tokens, text } = statement;
  const isOf = (token: SqlToken | undefined) => made.has(nameOf(token));
  if (isCreate(statement)) return isOf(tokens[2]) ? [text] : [];
  if (words[0] === 'ALTER' && words[1] === 'ROLE') {
    if (!isOf(tokens[2])) return [];
    if (words[3] === 'WITH') return attributesOf(statement);
    return words[3] === 'SET' ? [text] : [];
  }
  if (words[0] === 'COMMENT' && words[2] === 'ROLE') return isOf(tokens[3]) ? [text] : [];
  if (!isMembership(statement) || !made.has(memberOf(statement)) || !isThere(grantedOf(statement))) return [];
  return [membershipOf(statement, serverVersionNumber)];
}

function attributesOf({ tokens }: Statement): string[] {
  const said = tokens.slice(4, -1).filter(({ text }) => !DEFAULT_ATTRIBUTES.has(text.toUpperCase()));
  const role = tokens[2]?.text ?? '';
  return said.length === 0 ? [] : [`ALTER ROLE ${role} WITH ${said.map(({ text }) => text).join(' ')};`];
}

/** Whoever restores grants it: the grantor may be missing, or have no right to it here. */
function membershipOf({ tokens, words }: Statement, serverVersionNumber: number): string {
  const end = words.at(-4) === 'GRANTED' && words.at(-3) === 'BY' ? -4 : -1;
  const options = words.slice(4, end);
  const texts = tokens.slice(0, 4).map(({ text }) => text);
  const admin = options.indexOf('ADMIN');
  const isAdmin = admin >= 0 && options[admin + 1] !== 'FALSE';
  if (serverVersionNumber < FIRST_WITH_MEMBERSHIP_OPTIONS) {
    return `${texts.join(' ')}${isAdmin ? ' WITH ADMIN OPTION' : ''};`;
  }
  return `${[...texts, ...options].join(' ')};`;
}

function isCreate({ words }: Statement): boolean {
  return words[0] === 'CREATE' && words[1] === 'ROLE';
}

/** `GRANT a TO b …`, and no right on a parameter. */
function isMembership({ words }: Statement): boolean {
  return words[0] === 'GRANT' && words[2] === 'TO';
}

function grantedOf({ tokens }: Statement): string {
  return nameOf(tokens[1]);
}

function memberOf({ tokens }: Statement): string {
  return nameOf(tokens[3]);
}

function hasPassword({ words }: Statement): boolean {
  return words[0] === 'ALTER' && words.includes('PASSWORD');
}

function scriptOf(settings: readonly string[], statements: readonly string[]): Buffer {
  return Buffer.from([...settings, 'BEGIN;', ...statements, 'COMMIT;', ''].join('\n'), 'latin1');
}

/** The name that a token means, read as names of roles are read from servers. */
function nameOf(token: SqlToken | undefined): string {
  const text = token?.text ?? '';
  return decodeBytes(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
}
