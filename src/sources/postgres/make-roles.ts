import { open } from 'node:fs/promises';
import { BackupError } from '../../domain/errors.js';
import type { Compression } from '../../domain/target.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { decompressor } from '../../pipeline/compression.js';
import { requireSuccess, startPipeline } from '../../pipeline/process.js';
import type { Tools } from '../../pipeline/tools.js';
import { runSql, withSession, type DatabaseLogin } from './connection.js';
import { theRoles } from './preparation.js';
import type { RoleScript } from './role-script.js';

export interface GlobalsFile {
  path: string;
  compression: Compression;
  tools: Tools;
  signal?: AbortSignal;
}

/** All of the SQL in a file of globals, which was checked to be whole. */
export async function readGlobalsFile({ path, compression, tools, signal }: GlobalsFile): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const stages = [decompressor(tools, compression)];
    const abortable = signal === undefined ? {} : { signal };
    const { stdout, finished } = startPipeline({ stages, stdinFd: file.fd, stdout: 'pipe', ...abortable });
    const pieces: Buffer[] = [];
    for await (const piece of stdout as AsyncIterable<Buffer>) pieces.push(piece);
    const results = await finished;
    throwIfAborted(signal);
    requireSuccess(results, `read ${path}`);
    return Buffer.concat(pieces);
  } finally {
    await file.close();
  }
}

/** No message of psql quotes a statement, nor does the server's log where that can be had: password hashes stand in them. */
const QUIETLY = Buffer.from(`\\set VERBOSITY terse
SELECT rolsuper AS is_superuser FROM pg_roles WHERE rolname = current_user \\gset
\\if :is_superuser
SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET log_min_duration_statement = -1;
\\endif
`);

/** Makes all roles of a script or none, from any database of the server. A role that somebody made meanwhile is an error: it is not touched. */
export async function makeRoles(login: DatabaseLogin, { sql, roles }: RoleScript): Promise<void> {
  await withSession(login, (session) => runSql(session, Buffer.concat([QUIETLY, sql]), `make ${theRoles(roles)}`));
}

/** The error to throw, once the roles that were made for a restore which failed are gone; it also says so where that failed. */
export async function afterUndoing(login: DatabaseLogin, script: RoleScript, error: unknown): Promise<unknown> {
  const { signal: _signal, ...lasting } = login;
  try {
    await withSession(lasting, (session) => runSql(session, script.undoSql));
    return error;
  } catch {
    if (!(error instanceof BackupError)) return error;
    const hint = `drop ${theRoles(script.roles)}, which could not be removed`;
    const { code, message, retryable, cause } = error;
    return new BackupError(code, message, { hint: [error.hint, hint].filter(Boolean).join('; '), retryable, cause });
  }
}
