import { requireSuccess, startPipeline, type Program } from '../../pipeline/process.js';
import { siblingClient, type PostgresClient } from '../../pipeline/tools.js';
import { runSql, type Session } from './connection.js';

/** A table whose rows are compressed on their own. */
export interface TablePart {
  /** pg_dump's number for its rows, which it names the file of them after. */
  dumpId: string;
  /** Of its compressor. */
  threads: number;
}

export interface DumpPlan {
  parts: TablePart[];
  /** About how many bytes have no part, and lie on the disk uncompressed for a while. */
  restBytes: number;
}

/** Below this a process of its own costs more than it gives. */
const SMALLEST_PART_BYTES = 2 * 1024 ** 2;
const MOST_PARTS = 256;
const ROWS = /^(\d+); \d+ (\d+) TABLE DATA /gm;

interface Rows {
  dumpId: string;
  sizeBytes: number;
}

/**
 * Which tables a dump by `jobs` has, and which of them get a part. The list is that of a dump which is given up where its rows begin:
 * what it says of another state of the database than the dump that follows costs speed, and nothing else.
 */
export async function planDump(
  session: Session,
  { pgDump, rehearsal, jobs }: { pgDump: PostgresClient; rehearsal: Program; jobs: number },
): Promise<DumpPlan> {
  const listed = [...(await listOf(session, pgDump, rehearsal)).matchAll(ROWS)];
  const sizes = await sizesOf(session);
  const tables = listed.map(([, dumpId = '', oid = '']) => ({ dumpId, sizeBytes: sizes.get(oid) ?? 0 }));
  return choose(tables, sizes.get('large objects') ?? 0, jobs);
}

export function choose(tables: Rows[], otherBytes: number, jobs: number): DumpPlan {
  const bySize = [...tables].sort((one, other) => other.sizeBytes - one.sizeBytes);
  const chosen = bySize.filter(({ sizeBytes }) => sizeBytes >= SMALLEST_PART_BYTES).slice(0, MOST_PARTS);
  const all = sum(tables) + otherBytes;
  return {
    // A table that is half of everything is compressed by half of the threads.
    parts: chosen.map(({ dumpId, sizeBytes }) => ({
      dumpId,
      threads: Math.max(1, Math.round((jobs * sizeBytes) / all)),
    })),
    restBytes: all - sum(chosen),
  };
}

function sum(tables: readonly Rows[]): number {
  return tables.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
}

/** In custom format the list comes before the rows: pg_restore ends with it, and pg_dump soon after. */
async function listOf({ signal, env }: Session, pgDump: PostgresClient, rehearsal: Program): Promise<string> {
  const reader = { file: siblingClient(pgDump, 'pg_restore').path, args: ['--list'], env };
  const pipeline = startPipeline({
    stages: [rehearsal, reader],
    stdout: 'pipe',
    ...(signal !== undefined && { signal }),
  });
  const chunks: Buffer[] = [];
  for await (const chunk of pipeline.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  const results = await pipeline.finished;
  const isRead = results.at(-1)?.exitCode === 0;
  requireSuccess(results, 'list what is to be dumped', (result) => isRead && result === results[0]);
  return Buffer.concat(chunks).toString('latin1');
}

const SIZES = `SELECT oid, pg_table_size(oid) FROM pg_class WHERE relkind IN ('r', 'm')
UNION ALL SELECT NULL, pg_table_size('pg_largeobject');`;

async function sizesOf(session: Session): Promise<Map<string, number>> {
  const lines = (await runSql(session, SIZES)).split('\n').map((line) => line.split('|'));
  return new Map(lines.map(([oid, size]) => [oid || 'large objects', Number(size ?? 0)]));
}
