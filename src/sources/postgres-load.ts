import { open } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { FileFacts } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import type { Compression } from '../domain/target.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { decompressor } from '../pipeline/compression.js';
import { feedFile, ReaderGone, writePiece } from '../pipeline/feed.js';
import { requireSuccess, startPipeline, type Program, type StageResult } from '../pipeline/process.js';
import { succeeded } from '../pipeline/stage-result.js';
import { requirePsql } from '../pipeline/tools.js';
import { CONNECTION_OPTIONS, subjectOf, type Session } from './postgres-connection.js';
import { translatePostgresError } from './postgres-errors.js';
import type { OwnerFilter } from './postgres-owner-filter.js';

export interface LoadInput {
  /** Of the database that is loaded into. */
  session: Session;
  artifactPath: string;
  compression: Compression;
  /** What the bytes have to be. */
  facts: FileFacts;
  /** Leaves statements out on the way. */
  filter?: OwnerFilter;
  /** Told after each piece, with all stored bytes that were handed over so far. */
  onProgress?: (bytesDone: number) => void;
}

/**
 * Runs a kept dump in a database. Resolves once every process ended well and the bytes that were read have the expected
 * facts; the first SQL error ends it. Errors: ProgramFailed, Damaged, and those of a connection.
 */
export async function loadDump(input: LoadInput): Promise<void> {
  const { session, artifactPath, compression, facts: expected, filter, onProgress } = input;
  const file = await open(artifactPath, 'r');
  try {
    const programs = [decompressor(session.tools, compression), psqlProgram(session)] as const;
    const { signal } = session;
    const abortable = signal === undefined ? {} : { signal };
    const { stdin, finished } =
      filter === undefined ? direct(programs, abortable) : filtered(programs, filter, abortable);
    const facts = await feedFile(file, stdin, { signal, onProgress }).finally(() => finished);
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

type Programs = readonly [decompressor: Program, psql: Program];
type Abortable = { signal?: AbortSignal };

interface Loading {
  stdin: Writable;
  finished: Promise<StageResult[]>;
}

function psqlProgram({ tools, env }: Session): Program {
  const args = ['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', '-d', CONNECTION_OPTIONS, '-f', '-'];
  return { file: requirePsql(tools).path, args, env };
}

function direct(stages: Programs, signal: Abortable): Loading {
  return startPipeline({ stages, stdin: 'pipe', stdout: 'ignore', ...signal });
}

/** Two pipelines with the filter between them, judged as one. */
function filtered([decompress, psql]: Programs, filter: OwnerFilter, signal: Abortable): Loading {
  const reader = startPipeline({ stages: [decompress], stdin: 'pipe', stdout: 'pipe', ...signal });
  const loader = startPipeline({ stages: [psql], stdin: 'pipe', stdout: 'ignore', ...signal });
  const passing = passThrough(reader.stdout, filter, loader.stdin);
  const finished = Promise.all([reader.finished, loader.finished, passing]).then(([read, loaded, passed]) => {
    if (!passed && loaded.every(succeeded)) throw new Error('psql ended before the dump did');
    return [...read, ...loaded].map((result, endOrder) => ({ ...result, endOrder }));
  });
  return { stdin: reader.stdin, finished };
}

/** Whether psql took all of it. */
async function passThrough(from: Readable, filter: OwnerFilter, to: Writable): Promise<boolean> {
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
