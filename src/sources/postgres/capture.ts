import type { Manifest } from '../../domain/manifest.js';
import type { Compression, DumpFormat, Source } from '../../domain/target.js';
import { compressor, compressorVersion } from '../../pipeline/compression.js';
import { programToFile } from '../../pipeline/program-to-file.js';
import { pipelineToFile } from '../../pipeline/pipeline-to-file.js';
import { requireSuccess, type Program, type StageResult } from '../../pipeline/process.js';
import { choosePgDump, type PostgresClient, type Tools } from '../../pipeline/tools.js';
import { CONNECTION_OPTIONS, subjectOf, withSession, type DatabaseLogin, type Session } from './connection.js';
import { translatePostgresError } from './errors.js';
import { readProperties, readWritingSettings } from './properties.js';
import { readRoles } from './roles.js';
import { inspectServer, type ServerFacts } from './server.js';

export interface DescribeDatabaseInput extends DatabaseLogin {
  compression: Compression;
  /** Default: plain. */
  dumpFormat?: DumpFormat | undefined;
}

export interface CaptureDatabaseInput extends DescribeDatabaseInput {
  /** As the compressor means it: 0 to 9 for gzip, 1 to 19 for zstd. */
  level: number;
  /** An empty file, which is there already. */
  partPath: string;
  /** How long to wait for a table that another session locked. Default: 5 minutes. */
  lockWaitTimeoutMs?: number;
  /** Told after each piece, with all compressed bytes written so far. */
  onProgress?: (bytesDone: number) => void;
}

/** What a manifest says about the database. */
export type CapturedDatabase = Pick<Manifest, 'source' | 'programs' | 'warnings'> &
  Required<Pick<Manifest, 'server' | 'database' | 'writtenUnder' | 'roles'>>;

const LOCK_WAIT_TIMEOUT_MS = 5 * 60_000;

/**
 * Dumps the database as plain SQL through the compressor into `partPath`, or in custom format right into it, durably. Every process ended well when it
 * resolves; whether the file is a whole dump, `proveArtifact` tells. Errors: LoginRefused, NotFound, ServerUnreachable,
 * ProgramMissing, ProgramFailed, DiskFull, and the signal's reason.
 */
export async function captureDatabase(input: CaptureDatabaseInput): Promise<CapturedDatabase> {
  return withSession(input, async (session) => {
    const description = await describe(session, input);
    const warnings = await dump(session, input, description.pgDump);
    return { ...description.captured, warnings };
  });
}

/** The same facts without a dump, for an artifact that is there and lacks its manifest. */
export async function describeDatabase(input: DescribeDatabaseInput): Promise<CapturedDatabase> {
  return withSession(input, async (session) => (await describe(session, input)).captured);
}

async function describe(session: Session, format: Pick<DescribeDatabaseInput, 'compression' | 'dumpFormat'>) {
  const { tools, connection } = session;
  const server = await inspectServer(session);
  const pgDump = choosePgDump(tools, server.versionNumber);
  const database = await readProperties(session);
  const writtenUnder = await readWritingSettings(session);
  const roles = await readRoles(session, database);
  const { versionNumber, version } = server;
  const captured: CapturedDatabase = {
    ...{ source: sourceOf(server, connection), programs: versionsOf(tools, pgDump, format) },
    ...{ server: { product: 'PostgreSQL', version, versionNumber }, database, writtenUnder, roles, warnings: [] },
  };
  return { captured, pgDump };
}

function sourceOf({ systemIdentifier }: ServerFacts, { host, port, database }: Session['connection']): Source {
  return systemIdentifier === undefined
    ? { kind: 'database', host, port, database }
    : { kind: 'database', systemIdentifier, database };
}

function versionsOf(
  tools: Tools,
  pgDump: PostgresClient,
  { compression, dumpFormat }: Pick<DescribeDatabaseInput, 'compression' | 'dumpFormat'>,
): Record<string, string> {
  return { pg_dump: pgDump.version, ...(dumpFormat === 'custom' ? {} : compressorVersion(tools, compression)) };
}

async function dump(session: Session, input: CaptureDatabaseInput, pgDump: PostgresClient): Promise<string[]> {
  const { tools, signal } = session;
  const { compression, dumpFormat, level, partPath, onProgress } = input;
  if (dumpFormat === 'custom') return dumpArchive(session, input, pgDump);
  const stages = [dumpProgram(session, input, pgDump), compressor(tools, compression, level)];
  const results = await pipelineToFile({ stages, path: partPath, signal, onProgress });
  judge(results, session);
  return warningsOf(results[0]);
}

/** pg_dump writes the file itself: only where it can go back it says where in it the data of each table is, without which jobs search. */
async function dumpArchive(session: Session, input: CaptureDatabaseInput, pgDump: PostgresClient): Promise<string[]> {
  const { partPath, onProgress } = input;
  const stages = [dumpProgram(session, input, pgDump)];
  const results = await programToFile({ stages, path: partPath, signal: session.signal, onProgress });
  judge(results, session);
  return warningsOf(results[0]);
}

function dumpProgram(
  { env }: Session,
  { lockWaitTimeoutMs, dumpFormat, level }: CaptureDatabaseInput,
  { path }: PostgresClient,
): Program {
  const timeout = `--lock-wait-timeout=${String(lockWaitTimeoutMs ?? LOCK_WAIT_TIMEOUT_MS)}`;
  const format = dumpFormat === 'custom' ? ['--format=custom', `--compress=${String(level)}`] : ['--format=plain'];
  return { file: path, args: [...format, '--no-password', timeout, `--dbname=${CONNECTION_OPTIONS}`], env };
}

function judge(results: StageResult[], session: Session): void {
  const subject = subjectOf(session);
  try {
    requireSuccess(results, `dump ${subject}`);
  } catch (error) {
    throw translatePostgresError(error, { subject, what: `dump ${subject}` });
  }
}

/** What pg_dump says although it ended well, a line for each, with the details that it gives on lines of their own. */
function warningsOf(pgDump: StageResult | undefined): string[] {
  const text = pgDump?.stderr.trim() ?? '';
  if (text === '') return [];
  return text
    .split(/\n(?!pg_dump: (?:detail|hint):)(?=pg_dump: )/)
    .map((warning) => warning.replaceAll(/\s*\n\s*/g, ' ').replace(/^pg_dump: (warning: )?/, 'pg_dump: '));
}
