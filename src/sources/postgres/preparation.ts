import { BackupError } from '../../domain/errors.js';
import type { DatabaseProperties, Manifest } from '../../domain/manifest.js';
import { inDatabase, queryJson, type DatabaseLogin, type Session } from './connection.js';
import { requireReplaceable, type Replaced } from './replaced.js';
import { quoteIdentifier, quoteLiteral } from './quoting.js';

/** What has to be known before anything is made. */
export interface NewDatabase extends DatabaseLogin {
  /** The new database; one of this name must not exist, unless it is replaced. */
  into: string;
  manifest: Pick<Manifest, 'database' | 'roles'>;
  /** Everything belongs to the user who restores, and missing roles go without their privileges. */
  noOwner: boolean;
  /** Present: it replaces the one of that name. */
  replaces?: Replacing;
  /** Whether missing roles will be made: then they are no reason to refuse. */
  makesRoles?: boolean;
}

export interface Replacing {
  restoreToken: string;
  /** The end of the name that the old one is kept under: the first with which that is free. */
  suffixes: readonly string[];
}

export interface Preparation {
  /** In a database that is there on every server. */
  server: Session;
  properties: DatabaseProperties;
  /** All roles of the server. */
  roles: ReadonlySet<string>;
  versionNumber: number;
  /** What is replaced. */
  replaced?: Replaced & { keptAs: string };
}

/** `database` of the connection is what was backed up; these are where a server lets people in to make another. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'] as const;
export const MAX_NAME_BYTES = 63;

/** Refuses, before anything is touched, what could not be restored: Conflict, NotFound for roles, ConfigInvalid, Damaged. */
export async function prepareRestore(session: Session, input: NewDatabase): Promise<Preparation> {
  requireUsableName(input.into);
  const properties = propertiesOf(input);
  const { server, facts } = await enterServer(session, input.into);
  const replaced = input.replaces === undefined ? requireNameFree(input, facts) : await findReplaced(server, input);
  const roles = new Set(facts.roles);
  if (!input.noOwner && input.makesRoles !== true) requireRoles(input, roles);
  return { server, properties, roles, versionNumber: facts.versionNumber, ...(replaced && { replaced }) };
}

async function findReplaced(server: Session, { into, replaces }: NewDatabase): Promise<Replaced & { keptAs: string }> {
  const replaced = await requireReplaceable(server, into);
  const wanted = (replaces?.suffixes ?? []).map((suffix) => suffixedName(into, suffix));
  const taken = await queryJson<string[]>(
    server,
    `SELECT coalesce(jsonb_agg(datname), '[]') FROM pg_database WHERE datname IN (${wanted.map(quoteLiteral).join(', ')})`,
  );
  const keptAs = wanted.find((name) => !taken.includes(name));
  if (keptAs !== undefined) return { ...replaced, keptAs };
  const reason = `the names that it could be kept under are taken: ${wanted.join(', ')}`;
  throw new BackupError('Conflict', `cannot replace the database ${into}: because ${reason}`, { retryable: false });
}

/** A name that ends so, whatever has to be cut from it. */
export function suffixedName(name: string, suffix: string): string {
  let stem = name;
  while (Buffer.byteLength(stem + suffix) > MAX_NAME_BYTES) stem = [...stem].slice(0, -1).join('');
  return stem + suffix;
}

interface EntryFacts {
  versionNumber: number;
  isTaken: boolean;
  roles: string[];
}

/** A session in a database that is there on every server, and what has to be known before anything is touched. */
export async function enterServer(session: Session, into: string): Promise<{ server: Session; facts: EntryFacts }> {
  const query = `SELECT jsonb_build_object(
    'versionNumber', current_setting('server_version_num')::int,
    'isTaken', EXISTS (SELECT FROM pg_database WHERE datname = ${quoteLiteral(into)}),
    'roles', (SELECT jsonb_agg(rolname) FROM pg_roles)
  )`;
  // No session may be in a database that is renamed.
  const first = inDatabase(session, MAINTENANCE_DATABASES.find((database) => database !== into) ?? into);
  const second = inDatabase(session, MAINTENANCE_DATABASES.findLast((database) => database !== into) ?? into);
  try {
    return { server: first, facts: await queryJson<EntryFacts>(first, query) };
  } catch (error) {
    if (!(error instanceof BackupError) || !['NotFound', 'LoginRefused'].includes(error.code)) throw error;
    // The first error is the one to tell, unless only that database is closed.
    const facts = await queryJson<EntryFacts>(second, query).catch(() => {
      throw error;
    });
    return { server: second, facts };
  }
}

function propertiesOf({ target, manifest }: NewDatabase): DatabaseProperties {
  if (manifest.database !== undefined) return manifest.database;
  throw new BackupError('Damaged', `cannot restore ${target}: because its manifest does not describe the database`);
}

function requireUsableName(into: string): void {
  const bytes = Buffer.byteLength(into);
  if (bytes > 0 && bytes <= MAX_NAME_BYTES && !into.includes('\0')) return;
  const reason = `a name of a database has 1 to ${String(MAX_NAME_BYTES)} bytes`;
  throw new BackupError('ConfigInvalid', `cannot restore into ${into}: because ${reason}`);
}

function requireNameFree({ into, connection }: NewDatabase, { isTaken }: EntryFacts): undefined {
  if (!isTaken) return undefined;
  const where = `${connection.host}:${String(connection.port)}`;
  throw new BackupError('Conflict', `cannot restore into ${into}: because that database exists on ${where}`, {
    hint: 'choose another name with `--into`, or replace the one that is there with `--in-place`',
    retryable: false,
  });
}

function requireRoles({ target, manifest }: NewDatabase, roles: ReadonlySet<string>): void {
  const missing = (manifest.roles ?? []).filter((role) => !roles.has(role));
  if (missing.length === 0) return;
  throw new BackupError('NotFound', `cannot restore ${target}: because the server lacks ${theRoles(missing)}`, {
    hint: 'let `--with-roles` make what is missing from the globals, create it by hand, or restore with `--no-owner`',
  });
}

/** `the role "a"`, `the roles "a", "b"`. */
export function theRoles(names: readonly string[]): string {
  return `the ${names.length === 1 ? 'role' : 'roles'} ${names.map(quoteIdentifier).join(', ')}`;
}
