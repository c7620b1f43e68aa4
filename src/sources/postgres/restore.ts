import { randomBytes } from 'node:crypto';
import { BackupError } from '../../domain/errors.js';
import type { Manifest } from '../../domain/manifest.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { storedFormat } from '../../pipeline/stored-reader.js';
import { inDatabase, runSql, withSession, type DatabaseLogin, type Session } from './connection.js';
import { databaseOid } from './leavings.js';
import { createStatement, finishStatements, propertyStatements } from './create.js';
import { loadDump, type SqlFilter } from './load.js';
import { OwnerFilter } from './owner-filter.js';
import { enterServer, prepareRestore, suffixedName, type NewDatabase, type Preparation } from './preparation.js';
import { PartFilter } from './part-filter.js';
import { quoteIdentifier } from './quoting.js';
import { changedProperties, type Replaced } from './replaced.js';
import { findSwapped, swapDatabases } from './swap.js';
import type { WantedTables } from './table-choice.js';

export interface RestoreDatabaseInput extends NewDatabase {
  /** The file to restore; its bytes are checked against the manifest once more while they are read. */
  artifactPath: string;
  manifest: Pick<Manifest, 'artifact' | 'programs' | 'database' | 'roles'>;
  /** Stands in its name until it is whole. Default: random. */
  attemptToken?: string;
  /** Told when it is whole and has only to take its name: the database's oid, and the warnings. */
  onWhole?: (oid: string, warnings: string[]) => Promise<void>;
  /** Only the rows of these are restored. Default: all. */
  wanted?: WantedTables;
  /** At once, of a dump in custom format. Default: 1. */
  jobs?: number;
  /** Told after each piece, with all stored bytes that were handed over so far. */
  onProgress?: (bytesDone: number) => void;
}

const DROP_TIMEOUT_MS = 60_000;

export interface RestoredDatabase {
  warnings: string[];
  /** What was called `into` before, and is closed now. */
  keptAs?: string;
}

/**
 * Makes the database `into` out of an artifact: under a temporary name first, so that `into` appears whole or not at all, and one that it
 * replaces stays until then; what was made is dropped after any failure. Errors: Conflict where `into` exists, NotFound where roles
 * are missing (nothing is touched then), those of `requireReplaceable`, ProgramFailed for the first SQL error, Damaged, and those of a connection.
 */
export async function restoreDatabase(input: RestoreDatabaseInput): Promise<RestoredDatabase> {
  return withSession(input, async (session) => {
    const preparation = await prepareRestore(session, input);
    const { server, properties, versionNumber } = preparation;
    const name = suffixedName(input.into, `_restoring_${input.attemptToken ?? randomBytes(6).toString('hex')}`);
    const withOwner = !input.noOwner;
    const create = createStatement({ name, properties, serverVersionNumber: versionNumber, withOwner });
    await runSql(uninterrupted(server), create, `make a database for ${input.target}`);
    try {
      throwIfAborted(input.signal);
      const warnings = await fill({ ...preparation, ...input, name });
      throwIfAborted(input.signal);
      return { warnings, ...(await finish({ ...preparation, ...input, name })) };
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
    const { server, properties, roles, versionNumber, replaced } = await prepareRestore(session, input);
    const changed = replaced === undefined ? [] : await changedProperties(server, input.into, properties);
    const told = replaced && { replaced: { ...replaced, changed } };
    return { roles, versionNumber, ...told, entry: server.env['PGDATABASE'] ?? input.connection.database };
  });
}

/** Under which name a restore in place has kept the database that it replaced; undefined where it has not come so far. */
export async function findFinishedSwap(
  input: DatabaseLogin & { into: string; restoreToken: string },
): Promise<string | undefined> {
  return withSession(input, async (session) => {
    const { server } = await enterServer(session, input.into);
    return findSwapped(server, input.restoreToken);
  });
}

export interface Restorable extends Pick<Preparation, 'roles' | 'versionNumber'> {
  /** A database that is there on every server and lets this user in. */
  entry: string;
  replaced?: Replaced & {
    keptAs: string;
    /** What has another value than when it was backed up, besides its content. */
    changed: string[];
  };
}

/** A server goes on with a statement whose client was ended: for short ones whose outcome has to be known. */
function uninterrupted({ signal: _signal, ...session }: Session): Session {
  return session;
}

interface Unfinished extends RestoreDatabaseInput, Preparation {
  /** What it is called until it is whole. */
  name: string;
}

/** Returns warnings. */
async function fill(input: Unfinished): Promise<string[]> {
  const { server, name, roles, versionNumber, artifactPath, manifest, noOwner, jobs, onProgress } = input;
  const owners = noOwner ? new OwnerFilter(roles) : undefined;
  const parts = input.wanted === undefined ? undefined : new PartFilter(input.target, input.wanted);
  const filter = owners !== undefined && parts !== undefined ? inTurn(parts, owners) : (parts ?? owners);
  const told = await loadDump({
    ...{ session: inDatabase(server, name), artifactPath, format: storedFormat(manifest), facts: manifest.artifact },
    serverVersionNumber: versionNumber,
    ...(jobs !== undefined && { jobs }),
    ...(filter !== undefined && { filter }),
    ...(onProgress !== undefined && { onProgress }),
  });
  const count = owners?.leftOutCount ?? 0;
  const leftOut = count === 0 ? [] : [`left out ${String(count)} statements about owners and missing roles`];
  const warnings = [...told, ...leftOut, ...(parts?.warnings ?? [])];
  await input.onWhole?.((await databaseOid(server, name)) ?? '', warnings);
  return warnings;
}

function inTurn(first: SqlFilter, second: SqlFilter): SqlFilter {
  return {
    push: (chunk) => second.push(first.push(chunk)),
    end: () => Buffer.concat([second.push(first.end()), second.end()]),
  };
}

/** Gives it its properties and its name, to the end once begun. */
async function finish({ server, name, into, properties, roles, noOwner, replaced, replaces }: Unfinished) {
  const lasting = uninterrupted(server);
  const whose = { name, properties, ...(noOwner && { instead: { roles } }) };
  if (replaced === undefined || replaces === undefined) {
    await runSql(lasting, finishStatements({ ...whose, into }), `finish the database ${into}`);
    return {};
  }
  const finished = ['BEGIN;', ...propertyStatements(whose), 'COMMIT;'].join('\n');
  await runSql(lasting, finished, `finish the database ${into}`);
  const { oid, keptAs } = replaced;
  const kept = await swapDatabases(lasting, {
    into,
    name,
    oid,
    keptAs,
    properties,
    restoreToken: replaces.restoreToken,
  });
  // Another attempt was faster.
  if (kept !== keptAs) await drop(lasting, name);
  return { keptAs: kept };
}

/** The error to throw, once what was made is gone; it also says so where that failed. */
async function afterDropping(server: Session, name: string, error: unknown): Promise<unknown> {
  try {
    await drop(server, name);
    return error;
  } catch {
    if (!(error instanceof BackupError)) return error;
    const hint = `drop the unfinished database ${name}, which could not be removed`;
    const { code, message, retryable, cause } = error;
    return new BackupError(code, message, { hint: [error.hint, hint].filter(Boolean).join('; '), retryable, cause });
  }
}

async function drop(server: Session, name: string): Promise<void> {
  const session = { ...server, signal: AbortSignal.timeout(DROP_TIMEOUT_MS) };
  await runSql(session, `DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE);`);
}
