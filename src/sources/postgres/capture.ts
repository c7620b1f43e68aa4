import type { Manifest } from '../../domain/manifest.js';
import type { Priority } from '../../domain/priority.js';
import type { Compression, DumpFormat, Source } from '../../domain/target.js';
import { compressor, compressorVersion } from '../../pipeline/compression.js';
import { pipelineToFile } from '../../pipeline/pipeline-to-file.js';
import { requireSuccess, type Program, type StageResult } from '../../pipeline/process.js';
import { choosePgDump, type PostgresClient, type Tools } from '../../pipeline/tools.js';
import { CONNECTION_OPTIONS, subjectOf, withSession, type DatabaseLogin, type Session } from './connection.js';
import { readDatabaseFacts } from './database-facts.js';
import { translatePostgresError } from './errors.js';
import { dumpByJobs } from './parallel-dump.js';
import type { ServerFacts } from './server.js';
import { UnfitForJobs } from './unfit-for-jobs.js';

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
  /** How many jobs dump plain SQL at once. Default: 1. */
  jobs?: number | undefined;
  /** Told after each piece, with all compressed bytes written so far. */
  onProgress?: (bytesDone: number) => void;
  /** Of pg_dump and the compressor; the server's own process for the dump is the server's. */
  priority?: Priority;
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
  const { server, database, writtenUnder, roles } = await readDatabaseFacts(session);
  const pgDump = choosePgDump(tools, server.versionNumber);
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
  const { compression, dumpFormat, level, partPath, onProgress, priority } = input;
  const byJobs = await dumpPlainByJobs(session, input, pgDump);
  if (byJobs.isDone) return byJobs.warnings;
  const program = dumpProgram(session, input, pgDump);
  // pg_dump writes an archive itself: only in a file does it say where the data of each table is, without which jobs search.
  const stages = dumpFormat === 'custom' ? [program] : [program, compressor(tools, compression, level)];
  const results = await pipelineToFile({ stages, path: partPath, signal, onProgress, priority });
  judge(results, session);
  return [...byJobs.warnings, ...warningsOf(results[0])];
}

/** Not done, with a warning where that is worth one: a serial dump is to be made. */
async function dumpPlainByJobs(session: Session, input: CaptureDatabaseInput, pgDump: PostgresClient) {
  const { compression, dumpFormat, level, jobs = 1, partPath, onProgress, priority } = input;
  if (jobs < 2 || dumpFormat === 'custom') return { isDone: false, warnings: [] };
  const program = (format: readonly string[]) => dumpProgram(session, input, pgDump, format);
  try {
    const choice = { program, pgDump, compression, level, jobs, partPath, onProgress, priority };
    const result = await dumpByJobs(session, choice);
    return result === undefined ? { isDone: false, warnings: [] } : { isDone: true, warnings: warningsOf(result) };
  } catch (error) {
    if (error instanceof UnfitForJobs) {
      return { isDone: false, warnings: [`dumped by one job instead of ${String(jobs)}: ${error.reason}`] };
    }
    throw translated(error, session);
  }
}

function dumpProgram(
  { env }: Session,
  { lockWaitTimeoutMs, dumpFormat, level, priority }: CaptureDatabaseInput,
  { path }: PostgresClient,
  format: readonly string[] = dumpFormat === 'custom'
    ? ['--format=custom', `--compress=${String(level)}`]
    : ['--format=plain'],
): Program {
  const timeout = `--lock-wait-timeout=${String(lockWaitTimeoutMs ?? LOCK_WAIT_TIMEOUT_MS)}`;
  return { file: path, args: [...format, '--no-password', timeout, `--dbname=${CONNECTION_OPTIONS}`], env, priority };
}

function judge(results: StageResult[], session: Session): void {
  try {
    requireSuccess(results, `dump ${subjectOf(session)}`);
  } catch (error) {
    throw translated(error, session);
  }
}

function translated(error: unknown, session: Session): unknown {
  const subject = subjectOf(session);
  return translatePostgresError(error, { subject, what: `dump ${subject}` });
}

/** What pg_dump says although it ended well, a line for each, with the details that it gives on lines of their own. */
function warningsOf(pgDump: StageResult | undefined): string[] {
  const text = pgDump?.stderr.trim() ?? '';
  if (text === '') return [];
  return text
    .split(/\n(?!pg_dump: (?:detail|hint):)(?=pg_dump: )/)
    .map((warning) => warning.replaceAll(/\s*\n\s*/g, ' ').replace(/^pg_dump: (warning: )?/, 'pg_dump: '));
}
