import { open } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { FileFacts } from '../../destinations/destination.js';
import { BackupError } from '../../domain/errors.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { feedFile, ReaderGone, writePiece } from '../../pipeline/feed.js';
import { requireSuccess, startPipeline, type Program, type StageResult } from '../../pipeline/process.js';
import { succeeded } from '../../pipeline/stage-result.js';
import { storedReader, type StoredFormat } from '../../pipeline/stored-reader.js';
import { requirePsql } from '../../pipeline/tools.js';
import { CONNECTION_OPTIONS, subjectOf, type Session } from './connection.js';
import { translatePostgresError } from './errors.js';
import { loadArchive } from './load-archive.js';
import { withoutNewSettings } from './new-settings.js';

/** Changes a plain dump on its way, given in pieces of any size. */
export interface SqlFilter {
  push(chunk: Buffer): Buffer;
  end(): Buffer;
}

export interface LoadInput {
  /** Of the database that is loaded into. */
  session: Session;
  artifactPath: string;
  format: StoredFormat;
  /** `server_version_num`. */
  serverVersionNumber: number;
  /** At once, where the format lets several read it and nothing is left out on the way. Default: 1. */
  jobs?: number;
  /** What the bytes have to be. */
  facts: FileFacts;
  /** Leaves statements out on the way. */
  filter?: SqlFilter;
  /** Told after each piece, with all stored bytes that were handed over so far. */
  onProgress?: (bytesDone: number) => void;
}

/**
 * Runs a kept dump in a database, and returns warnings. Resolves once every process ended well and the bytes that were read have the expected
 * facts; the first SQL error ends it. Errors: ProgramFailed, Damaged, and those of a connection.
 */
export async function loadDump(input: LoadInput): Promise<string[]> {
  const { session, format, filter, serverVersionNumber, jobs = 1 } = input;
  const adapter = withoutNewSettings({ madeBy: format.madeBy, serverVersionNumber });
  if (format.dumpFormat === 'custom' && filter === undefined && adapter.length === 0) {
    return loadArchive({ ...input, jobs });
  }
  await loadSql(input, [storedReader(session.tools, format), ...adapter]);
  return [];
}

async function loadSql(
  { session, artifactPath, format, facts: expected, filter, onProgress }: LoadInput,
  readers: Program[],
) {
  const mayEndEarly = format.dumpFormat === 'custom';
  const file = await open(artifactPath, 'r');
  try {
    const { signal } = session;
    const abortable = signal === undefined ? {} : { signal };
    const { stdin, finished } =
      filter === undefined
        ? direct(readers, psqlProgram(session), abortable)
        : filtered(readers, psqlProgram(session), filter, abortable);
    const facts = await feedFile(file, stdin, { signal, onProgress, mayEndEarly }).finally(() => finished);
    throwIfAborted(signal);
    const what = `restore ${subjectOf(session)}`;
    try {
      requireSuccess(await finished, what);
    } catch (error) {
      throw translatePostgresError(error, { subject: subjectOf(session), what });
    }
    if (facts?.sha256 !== expected.sha256) {
      const reason = `the bytes of ${artifactPath} are not those that its manifest names`;
      throw new BackupError('Damaged', `cannot ${what}: because ${reason}`);
    }
  } finally {
    await file.close();
  }
}

type Abortable = { signal?: AbortSignal };

interface Loading {
  stdin: Writable;
  finished: Promise<StageResult[]>;
}

function psqlProgram({ tools, env }: Session): Program {
  const args = ['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', '-d', CONNECTION_OPTIONS, '-f', '-'];
  return { file: requirePsql(tools).path, args, env };
}

function direct(readers: Program[], psql: Program, signal: Abortable): Loading {
  return startPipeline({ stages: [...readers, psql], stdin: 'pipe', stdout: 'ignore', ...signal });
}

/** Two pipelines with the filter between them, judged as one. */
function filtered(readers: Program[], psql: Program, filter: SqlFilter, signal: Abortable): Loading {
  const reader = startPipeline({ stages: readers, stdin: 'pipe', stdout: 'pipe', ...signal });
  const loader = startPipeline({ stages: [psql], stdin: 'pipe', stdout: 'ignore', ...signal });
  const passing = passThrough(reader.stdout, filter, loader.stdin);
  const finished = Promise.all([reader.finished, loader.finished, passing]).then(([read, loaded, passed]) => {
    if (!passed && loaded.every(succeeded)) throw new Error('psql ended before the dump did');
    return [...read, ...loaded].map((result, endOrder) => ({ ...result, endOrder }));
  });
  finished.catch(() => undefined); // it is looked at once nothing more is fed
  return { stdin: reader.stdin, finished };
}

/** Whether psql took all of it. */
async function passThrough(from: Readable, filter: SqlFilter, to: Writable): Promise<boolean> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) await writePiece(to, filter.push(chunk));
    await writePiece(to, filter.end());
    return true;
  } catch (error) {
    if (error instanceof ReaderGone) return false;
    throw error;
  } finally {
    from.destroy();
    to.end();
  }
}
