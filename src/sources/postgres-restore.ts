import { randomBytes } from 'node:crypto';
import { BackupError } from '../domain/errors.js';
import type { DatabaseProperties, Manifest } from '../domain/manifest.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { inDatabase, queryJson, runSql, withSession, type DatabaseLogin, type Session } from './postgres-connection.js';
import { createStatement, finishStatements } from './postgres-create.js';
import { loadDump } from './postgres-load.js';
import { OwnerFilter } from './postgres-owner-filter.js';
import { quoteIdentifier, quoteLiteral } from './postgres-quoting.js';

export interface RestoreDatabaseInput extends DatabaseLogin {
  /** The new database; one of this name must not exist. */
  into: string;
  /** The file to restore; its bytes are checked against the manifest once more while they are read. */
  artifactPath: string;
  manifest: Pick<Manifest, 'artifact' | 'database' | 'roles'>;
  /** Everything belongs to the user who restores, and missing roles go without their privileges. */
  noOwner: boolean;
  /** Told after each piece, with all stored bytes that were handed over so far. */
  onProgress?: (bytesDone: number) => void;
}

/** What has to be known before anything is made. */
export type NewDatabase = Omit<RestoreDatabaseInput, 'artifactPath' | 'onProgress'>;

/** `database` of the connection is what was backed up; these are where a server lets people in to make another. */
const MAINTENANCE_DATABASES = ['postgres', 'template1'] as const;
const MAX_NAME_BYTES = 63;
const DROP_TIMEOUT_MS = 60_000;

/**
 * Makes the database `into` out of an artifact: under a temporary name first, so that `into` appears whole or not at all;
 * what was made is dropped after any failure. Returns warnings. Errors: Conflict where `into` exists, NotFound where roles
 * are missing (nothing is touched then), ProgramFailed for the first SQL error, Damaged, and those of a connection.
 */
export async function restoreDatabase(input: RestoreDatabaseInput): Promise<{ warnings: string[] }> {
  return withSession(input, async (session) => {
    const { server, properties, roles, versionNumber } = await prepare(session, input);
    const name = temporaryName(input.into);
    const withOwner = !input.noOwner;
    const create = createStatement({ name, properties, serverVersionNumber: versionNumber, withOwner });
    await runSql(uninterrupted(server), create, `make a database for ${input.target}`);
    try {
      throwIfAborted(input.signal);
      return await fill(server, { ...input, name, properties, roles });
    } catch (error) {
      throw await afterDropping(server, name, error);
    }
  });
}

/**
 * Refuses what `restoreDatabase` would refuse before it makes anything; for whoever has to bring the artifact from afar
 * first. The same errors.
 */
export async function requireRestorable(input: NewDatabase): Promise<void> {
  await withSession(input, (session) => prepare(session, input));
}

async function prepare(session: Session, input: NewDatabase) {
  const properties = propertiesOf(input);
  const { server, facts } = await enter(session, input.into);
  requireNameFree(input, facts);
  const roles = new Set(facts.roles);
  if (!input.noOwner) requireRoles(input, roles);
  return { server, properties, roles, versionNumber: facts.versionNumber };
}

/** A server goes on with a statement whose client was ended: for short ones whose outcome has to be known. */
function uninterrupted({ signal: _signal, ...session }: Session): Session {
  return session;
}

interface FillInput extends RestoreDatabaseInput {
  name: string;
  properties: DatabaseProperties;
  roles: ReadonlySet<string>;
}

async function fill(server: Session, input: FillInput): Promise<{ warnings: string[] }> {
  const { name, into, properties, roles, artifactPath, manifest, noOwner, onProgress } = input;
  const { compression, ...facts } = manifest.artifact;
  const filter = noOwner ? new OwnerFilter(roles) : undefined;
  await loadDump({
    ...{ session: inDatabase(server, name), artifactPath, compression, facts },
    ...(filter !== undefined && { filter }),
    ...(onProgress !== undefined && { onProgress }),
  });
  const finish = finishStatements({ name, into, properties, ...(noOwner && { instead: { roles } }) });
  await runSql(uninterrupted(server), finish, `finish the database ${into}`);
  const count = filter?.leftOutCount ?? 0;
  return { warnings: count === 0 ? [] : [`left out ${String(count)} statements about owners and missing roles`] };
}

interface EntryFacts {
  versionNumber: number;
  isTaken: boolean;
  roles: string[];
}

/** A session in a database that is there on every server, and what has to be known before anything is touched. */
async function enter(session: Session, into: string): Promise<{ server: Session; facts: EntryFacts }> {
  const query = `SELECT jsonb_build_object(
    'versionNumber', current_setting('server_version_num')::int,
    'isTaken', EXISTS (SELECT FROM pg_database WHERE datname = ${quoteLiteral(into)}),
    'roles', (SELECT jsonb_agg(rolname) FROM pg_roles)
  );`;
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

function requireNameFree({ into, connection }: NewDatabase, { isTaken }: EntryFacts): void {
  const bytes = Buffer.byteLength(into);
  if (bytes === 0 || bytes > MAX_NAME_BYTES || into.includes('\0')) {
    const reason = `a name of a database has 1 to ${String(MAX_NAME_BYTES)} bytes`;
    throw new BackupError('ConfigInvalid', `cannot restore into ${into}: because ${reason}`);
  }
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
  const names = missing.map(quoteIdentifier).join(', ');
  const roleWord = missing.length === 1 ? 'role' : 'roles';
  throw new BackupError('NotFound', `cannot restore ${target}: because the server lacks the ${roleWord} ${names}`, {
    hint: 'create what is missing, or restore with `--no-owner`',
  });
}

/** `<into, shortened>_restoring_<token>`: whoever sees it in a list knows what it is. */
function temporaryName(into: string): string {
  const suffix = `_restoring_${randomBytes(4).toString('hex')}`;
  let stem = into;
  while (Buffer.byteLength(stem + suffix) > MAX_NAME_BYTES) stem = [...stem].slice(0, -1).join('');
  return stem + suffix;
}

/** The error to throw, once what was made is gone; it also says so where that failed. */
async function afterDropping(server: Session, name: string, error: unknown): Promise<unknown> {
  try {
    await runSql(
      { ...server, signal: AbortSignal.timeout(DROP_TIMEOUT_MS) },
      `DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE);`,
    );
    return error;
  } catch {
    if (!(error instanceof BackupError)) return error;
    const hint = `drop the unfinished database ${name}, which could not be removed`;
    const { code, message, retryable, cause } = error;
    return new BackupError(code, message, { hint: [error.hint, hint].filter(Boolean).join('; '), retryable, cause });
  }
}
