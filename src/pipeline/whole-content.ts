import type { Readable } from 'node:stream';
import { readArchive } from '../archive/archive-reader.js';
import { BrokenArchive } from '../archive/broken-archive.js';
import type { TargetKind } from '../domain/target.js';
import type { Program } from './program.js';

/** How the decompressed content of an artifact is looked at. */
export interface ContentCheck {
  /** Programs between the decompressor and `read`. */
  stages: Program[];
  /** Reads all of it; why it is not whole, or undefined. */
  read(content: Readable): Promise<string | undefined>;
}

export const TAIL_BYTES = 4096;
const TAR_END_BYTES = 1024;
const SQL_END = {
  database: { program: 'pg_dump', pattern: /^-- PostgreSQL database dump complete$/m },
  globals: { program: 'pg_dumpall', pattern: /^-- PostgreSQL database cluster dump complete$/m },
};

export interface ContentCheckInput {
  kind: TargetKind;
  /** Whether an archive is read as one, in a third more of a core's time. */
  entryByEntry: boolean;
  /** Whether so little is stored that a program costs more than bytes that pass through this process. */
  isSmall: boolean;
}

/** What comes at the end of a dump or an archive. */
export function contentCheck({ kind, entryByEntry, isSmall }: ContentCheckInput): ContentCheck {
  if (kind === 'volume' && entryByEntry) return { stages: [], read: readEntries };
  return {
    stages: isSmall ? [] : [{ file: 'tail', args: ['-c', String(TAIL_BYTES)] }],
    read: async (content) => flawOfEnd(kind, await readTail(content)),
  };
}

/** Why content that ends so is not whole, or undefined. */
export function flawOfEnd(kind: TargetKind, tail: Buffer): string | undefined {
  if (tail.length === 0) return 'it holds nothing';
  if (kind !== 'volume') {
    const { program, pattern } = SQL_END[kind];
    return pattern.test(tail.toString('latin1')) ? undefined : `the end marker of ${program} is missing`;
  }
  const end = tail.subarray(-TAR_END_BYTES);
  return end.length < TAR_END_BYTES || end.some((byte) => byte !== 0) ? 'the end of the archive is missing' : undefined;
}

async function readEntries(content: Readable): Promise<string | undefined> {
  try {
    await readArchive(content as AsyncIterable<Buffer>);
    return undefined;
  } catch (error) {
    if (error instanceof BrokenArchive) return error.message;
    throw error;
  }
}

async function readTail(stream: Readable): Promise<Buffer> {
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) tail = endOf(tail, chunk as Buffer);
  return tail;
}

/** The last `TAIL_BYTES` of one and the other. */
export function endOf(tail: Buffer, piece: Buffer): Buffer {
  return Buffer.from(Buffer.concat([tail, piece.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES));
}
