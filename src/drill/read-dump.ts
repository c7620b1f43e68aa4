import { open } from 'node:fs/promises';
import { throwIfAborted } from '../pipeline/abort.js';
import { requireSuccess, startPipeline, type Program } from '../pipeline/process.js';
import { storedReader, type StoredFormat } from '../pipeline/stored-reader.js';
import { CONNECTION_OPTIONS, withSession } from '../sources/postgres/connection.js';
import { DumpCollector, type DumpContents } from './dump-contents.js';
import type { ThrowawayCluster } from './throwaway-cluster.js';
import type { Tools } from '../pipeline/tools.js';

export interface ReadOptions {
  signal: AbortSignal;
  /** Told after each piece, with the bytes of SQL so far. */
  onProgress?: (bytesDone: number) => void;
}

export interface ArtifactFile {
  path: string;
  format: StoredFormat;
  tools: Tools;
}

/** Takes a kept dump apart. What the file is worth was proved before. */
export async function readArtifact({ path, format, tools }: ArtifactFile, options: ReadOptions): Promise<DumpContents> {
  const file = await open(path, 'r');
  try {
    return await read(storedReader(tools, format), `read ${path}`, { ...options, stdinFd: file.fd });
  } finally {
    await file.close();
  }
}

/** Dumps a database of the cluster as a capture does, and takes the dump apart. */
export async function readDatabase(
  cluster: ThrowawayCluster,
  database: string,
  options: ReadOptions & { schemaOnly?: boolean },
): Promise<DumpContents> {
  const [pgDump] = cluster.tools.pgDumps;
  const only = options.schemaOnly === true ? ['--schema-only'] : [];
  const args = ['--format=plain', '--no-password', ...only, `--dbname=${CONNECTION_OPTIONS}`];
  return withSession(cluster.login(database), ({ env }) =>
    read({ file: pgDump?.path ?? 'pg_dump', args, env }, 'dump what was restored', options),
  );
}

async function read(
  program: Program,
  what: string,
  { signal, onProgress, stdinFd }: ReadOptions & { stdinFd?: number },
): Promise<DumpContents> {
  const stdin = stdinFd === undefined ? {} : { stdinFd };
  const { stdout, finished } = startPipeline({ stages: [program], stdout: 'pipe', signal, ...stdin });
  const collector = new DumpCollector();
  let bytesDone = 0;
  try {
    for await (const chunk of stdout as AsyncIterable<Buffer>) {
      collector.push(chunk);
      bytesDone += chunk.length;
      onProgress?.(bytesDone);
    }
  } finally {
    stdout.destroy();
  }
  const results = await finished;
  throwIfAborted(signal);
  requireSuccess(results, what);
  return collector.end();
}
