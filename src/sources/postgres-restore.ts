import { randomBytes } from 'node:crypto';
import { BackupError } from '../domain/errors.js';
import type { DatabaseProperties, Manifest } from '../domain/manifest.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { storedFormat } from '../pipeline/stored-reader.js';
import { inDatabase, runSql, withSession, type Session } from './postgres-connection.js';
import { databaseOid } from './postgres-leavings.js';
import { createStatement, finishStatements } from './postgres-create.js';
import { loadDump } from './postgres-load.js';
import { OwnerFilter } from './postgres-owner-filter.js';
import { MAX_NAME_BYTES, prepareRestore, type NewDatabase, type Preparation } from './postgres-preparation.js';
import { quoteIdentifier } from './postgres-quoting.js';

export interface RestoreDatabaseInput extends NewDatabase {
  /** The file to restore; its bytes are checked against the manifest once more while they are read. */
  artifactPath: string;
  manifest: Pick<Manifest, 'artifact' | 'programs' | 'database' | 'roles'>;
  /** Stands in its name until it is whole. Default: random. */
  attemptToken?: string;
  /** Told when it is whole and has only to take its name: the database's oid, and the warnings. */
  onWhole?: (oid: string, warnings: string[]) => Promise<void>;
  /** At once, of a dump in custom format. Default: 1. */
  jobs?: number;
  /** Told after each piece, with all stored bytes that were handed over so far. */
  onProgress?: (bytesDone: number) => void;
}

const DROP_TIMEOUT_MS = 60_000;

/**
 * Makes the database `into` out of an artifact: under a temporary name first, so that `into` appears whole or not at all;
 * what was made is dropped after any failure. Returns warnings. Errors: Conflict where `into` exists, NotFound where roles
 * are missing (nothing is touched then), ProgramFailed for the first SQL error, Damaged, and those of a connection.
 */
export async function restoreDatabase(input: RestoreDatabaseInput): Promise<{ warnings: string[] }> {
  return withSession(input, async (session) => {
    const { server, properties, roles, versionNumber } = await prepareRestore(session, input);
    const name = temporaryName(input.into, input.attemptToken);
    const withOwner = !input.noOwner;
    const create = createStatement({ name, properties, serverVersionNumber: versionNumber, withOwner });
    await runSql(uninterrupted(server), create, `make a database for ${input.target}`);
    try {
      throwIfAborted(input.signal);
      return await fill(server, { ...input, name, properties, roles, versionNumber });
    } catch (error) {
      throw await afterDropping(server, name, error);
    }
  });
}

/**
 * Refuses what `restoreDatabase` would refuse before it makes anything; for whoever has to bring the artifact from afar
 * first. The same errors.
 */
export async function requireRestorable(input: NewDatabase): Promise<Restorable> {
  return withSession(input, async (session) => {
    const { server, roles, versionNumber } = await prepareRestore(session, input);
    return { roles, versionNumber, entry: server.env['PGDATABASE'] ?? input.connection.database };
  });
}

export interface Restorable extends Pick<Preparation, 'roles' | 'versionNumber'> {
  /** A database that is there on every server and lets this user in. */
  entry: string;
}

/** A server goes on with a statement whose client was ended: for short ones whose outcome has to be known. */
function uninterrupted({ signal: _signal, ...session }: Session): Session {
  return session;
}

interface FillInput extends RestoreDatabaseInput {
  name: string;
  properties: DatabaseProperties;
  roles: ReadonlySet<string>;
  versionNumber: number;
}

async function fill(server: Session, input: FillInput): Promise<{ warnings: string[] }> {
  const { name, into, properties, roles, versionNumber, artifactPath, manifest, noOwner, jobs, onProgress } = input;
  const facts = manifest.artifact;
  const filter = noOwner ? new OwnerFilter(roles) : undefined;
  const told = await loadDump({
    ...{ session: inDatabase(server, name), artifactPath, format: storedFormat(manifest), facts },
    serverVersionNumber: versionNumber,
    ...(jobs !== undefined && { jobs }),
    ...(filter !== undefined && { filter }),
    ...(onProgress !== undefined && { onProgress }),
  });
  const count = filter?.leftOutCount ?? 0;
  const leftOut = count === 0 ? [] : [`left out ${String(count)} statements about owners and missing roles`];
  const warnings = [...told, ...leftOut];
  await input.onWhole?.((await databaseOid(server, name)) ?? '', warnings);
  const finish = finishStatements({ name, into, properties, ...(noOwner && { instead: { roles } }) });
  await runSql(uninterrupted(server), finish, `finish the database ${into}`);
  return { warnings };
}

/** `<into, shortened>_restoring_<token>`: whoever sees it in a list knows what it is. */
function temporaryName(into: string, attemptToken = randomBytes(6).toString('hex')): string {
  const suffix = `_restoring_${attemptToken}`;
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
