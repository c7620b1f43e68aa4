import { BackupError } from '../domain/errors.js';
import type { DatabaseProperties, Manifest } from '../domain/manifest.js';
import { inDatabase, queryJson, type DatabaseLogin, type Session } from './postgres-connection.js';
import { quoteIdentifier, quoteLiteral } from './postgres-quoting.js';

/** What has to be known before anything is made. */
export interface NewDatabase extends DatabaseLogin {
  /** The new database; one of this name must not exist. */
  into: string;
  manifest: Pick<Manifest, 'database' | 'roles'>;
  /** Everything belongs to the user who restores, and missing roles go without their privileges. */
  noOwner: boolean;
  /** Whether missing roles will be made: then they are no reason to refuse. */
  makesRoles?: boolean;
}

export interface Preparation {
  /** In a database that is there on every server. */
  server: Session;
  properties: DatabaseProperties;
  /** All roles of the server. */
  roles: ReadonlySet<string>;
  versionNumber: number;
}

/** `database` of the connection is what was backed up; these are where a server lets people in to make another. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'] as const;
export const MAX_NAME_BYTES = 63;

/** Refuses, before anything is touched, what could not be restored: Conflict, NotFound for roles, ConfigInvalid, Damaged. */
export async function prepareRestore(session: Session, input: NewDatabase): Promise<Preparation> {
  requireUsableName(input.into);
  const properties = propertiesOf(input);
  const { server, facts } = await enterServer(session, input.into);
  requireNameFree(input, facts);
  const roles = new Set(facts.roles);
  if (!input.noOwner && input.makesRoles !== true) requireRoles(input, roles);
  return { server, properties, roles, versionNumber: facts.versionNumber };
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
  const [first, second] = MAINTENANCE_DATABASES.map((database) => inDatabase(session, database)) as [Session, Session];
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

function requireNameFree({ into, connection }: NewDatabase, { isTaken }: EntryFacts): void {
  if (!isTaken) return;
  const where = `${connection.host}:${String(connection.port)}`;
  throw new BackupError('Conflict', `cannot restore into ${into}: because that database exists on ${where}`, {
    hint: 'choose another name with `--into`, or rename or drop the one that is there',
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
