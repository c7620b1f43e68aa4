import type { Manifest } from '../../domain/manifest.js';
import type { Priority } from '../../domain/priority.js';
import type { Compression, Source } from '../../domain/target.js';
import { compressor, compressorVersion } from '../../pipeline/compression.js';
import { pipelineToFile } from '../../pipeline/pipeline-to-file.js';
import { requireSuccess, type Program } from '../../pipeline/process.js';
import { choosePgDump, siblingClient } from '../../pipeline/tools.js';
import { CONNECTION_OPTIONS, queryJson, withSession, type Session } from './connection.js';
import { translatePostgresError } from './errors.js';
import { enterGlobals, serverOf, type GlobalsAccess, type GlobalsLogins } from './globals-login.js';
import { quoteConninfo } from './quoting.js';
import { inspectServer } from './server.js';

export interface DescribeGlobalsInput extends GlobalsLogins {
  compression: Compression;
}

export interface CaptureGlobalsInput extends DescribeGlobalsInput {
  /** As the compressor means it: 0 to 9 for gzip, 1 to 19 for zstd. */
  level: number;
  /** An empty file, which is there already. */
  partPath: string;
  /** Told after each piece, with all compressed bytes written so far. */
  onProgress?: (bytesDone: number) => void;
  priority?: Priority;
}

/** What a manifest says about the roles of a server. */
export type CapturedGlobals = Pick<Manifest, 'source' | 'programs' | 'warnings'> &
  Required<Pick<Manifest, 'server' | 'roles'>>;

/** `pg_dumpall` leaves out the server's own roles. */
const ROLES = `SELECT coalesce(jsonb_agg(rolname ORDER BY rolname), '[]') FROM pg_roles WHERE rolname !~ '^pg_'`;

/**
 * Writes the roles of a server with their memberships, settings and (where the login may read them) password hashes as SQL through the
 * compressor into `partPath`, durably. No tablespaces: their directories are another machine's. Errors: those of `captureDatabase`.
 */
export async function captureGlobals(input: CaptureGlobalsInput): Promise<CapturedGlobals> {
  return withAccess(input, async (session, access) => {
    const { captured, program } = await describe(session, input, access);
    const { tools, compression, level, partPath, signal, onProgress, priority } = input;
    const stages = [program, compressor(tools, compression, level)];
    const what = `dump the roles of ${serverOf(session)}`;
    try {
      requireSuccess(await pipelineToFile({ stages, path: partPath, signal, onProgress, priority }), what);
    } catch (error) {
      throw translatePostgresError(error, { subject: serverOf(session), what });
    }
    return captured;
  });
}

/** The same facts without a dump, for an artifact that is there and lacks its manifest. */
export async function describeGlobals(input: DescribeGlobalsInput): Promise<CapturedGlobals> {
  return withAccess(input, async (session, access) => (await describe(session, input, access)).captured);
}

async function withAccess<T>(
  input: GlobalsLogins,
  work: (session: Session, access: GlobalsAccess) => Promise<T>,
): Promise<T> {
  const access = await enterGlobals(input);
  return withSession(access.login, (session) => work(session, access));
}

async function describe(session: Session, input: DescribeGlobalsInput, access: GlobalsAccess) {
  const { tools, compression } = input;
  const { host, port, user } = session.connection;
  const { versionNumber, version, systemIdentifier } = await inspectServer(session);
  const pgDumpall = siblingClient(choosePgDump(tools, versionNumber), 'pg_dumpall');
  const source: Source =
    systemIdentifier === undefined ? { kind: 'globals', host, port } : { kind: 'globals', systemIdentifier };
  const captured: CapturedGlobals = {
    source,
    programs: { pg_dumpall: pgDumpall.version, ...compressorVersion(tools, compression) },
    server: { product: 'PostgreSQL', version, versionNumber },
    roles: await queryJson<string[]>(session, ROLES),
    warnings: access.mayReadPasswords ? [] : [`the roles are without their passwords: ${user} may not read them`],
  };
  return { captured, program: dumpProgram(session, pgDumpall.path, access) };
}

function dumpProgram({ env, connection }: Session, file: string, { mayReadPasswords }: GlobalsAccess): Program {
  const args = [
    '--roles-only',
    '--no-password',
    ...(mayReadPasswords ? [] : ['--no-role-passwords']),
    `--dbname=${CONNECTION_OPTIONS}`,
    // The one option that a name is taken from; it may be a connection string, so it is one.
    `--database=dbname=${quoteConninfo(connection.database)}`,
  ];
  return { file, args, env };
}
