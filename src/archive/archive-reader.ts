import { setImmediate as nextTurn } from 'node:timers/promises';
import { BrokenArchive } from './broken-archive.js';
import { ByteReader } from './byte-reader.js';
import type { ArchiveEntry } from './entry.js';
import { describeEntry, type DescribedEntry } from './extended-entry.js';
import { BLOCK_BYTES, isZero, parseHeader } from './header.js';
import { NO_RECORDS, parsePax, type PaxRecords } from './pax.js';
import { readSparseMap } from './sparse.js';

/** Told what is found, in the archive's order. */
export interface ArchiveVisitor {
  onEntry?(entry: ArchiveEntry): void;
  /** The content of the file that was told last, holes as zeros; without it holes are passed over. */
  onContent?(piece: Buffer): void;
  onEntryEnd?(entry: ArchiveEntry): void;
}

export interface ReadArchive {
  entries: number;
  /** Of all files together. */
  contentBytes: number;
  /** What this reader does not understand, so that nobody may rely on what it told: the first few. */
  unknown: string[];
}

const MOST_EXTENDED_BYTES = 64 * 1024 * 1024;
const MOST_UNKNOWN = 10;
const ZEROS = Buffer.alloc(1024 * 1024);

/**
 * Reads a tar archive (pax) to its very end, in memory of one entry's headers. It shares nothing with the tar that wrote it: a
 * second opinion. Rejects (BrokenArchive) after the stream has ended, so that whoever writes it ends in peace.
 */
export async function readArchive(chunks: AsyncIterable<Buffer>, visitor: ArchiveVisitor = {}): Promise<ReadArchive> {
  const bytes = new ByteReader(chunks);
  try {
    return await readEntries(bytes, visitor);
  } catch (error) {
    await bytes.drain();
    throw error;
  }
}

async function readEntries(bytes: ByteReader, visitor: ArchiveVisitor): Promise<ReadArchive> {
  const read: ReadArchive = { entries: 0, contentBytes: 0, unknown: [] };
  const note = (unknown: readonly string[]) => {
    for (const what of unknown)
      if (read.unknown.length < MOST_UNKNOWN && !read.unknown.includes(what)) read.unknown.push(what);
  };
  let records = NO_RECORDS;
  for (;;) {
    const { position } = bytes;
    const block = bytes.take(BLOCK_BYTES) ?? (await bytes.read(BLOCK_BYTES));
    if (block[0] === 0 && isZero(block)) break;
    const header = parseHeader(block, position);
    if (header.typeFlag === 'x' || header.typeFlag === 'g') {
      if (header.typeFlag === 'g') note(['a header for all entries']);
      records = await readExtended(bytes, header.sizeBytes);
      continue;
    }
    const described = describeEntry(header, records);
    note(described.unknown);
    records = NO_RECORDS;
    read.entries += 1;
    read.contentBytes += described.entry.sizeBytes;
    visitor.onEntry?.(described.entry);
    if (described.storedBytes > 0 || described.isSparse) await readContent(bytes, described, visitor);
    visitor.onEntryEnd?.(described.entry);
  }
  if (records !== NO_RECORDS) throw new BrokenArchive('an entry is missing at its end');
  await requireEnd(bytes);
  return read;
}

async function readExtended(bytes: ByteReader, sizeBytes: number): Promise<PaxRecords> {
  const { position } = bytes;
  if (sizeBytes > MOST_EXTENDED_BYTES)
    throw new BrokenArchive(`the extended header at byte ${String(position)} has ${String(sizeBytes)} bytes`);
  const padded = sizeBytes + paddingOf(sizeBytes);
  const data = bytes.take(padded) ?? (await bytes.read(padded));
  return parsePax(data.subarray(0, sizeBytes), position);
}

async function readContent(bytes: ByteReader, described: DescribedEntry, visitor: ArchiveVisitor): Promise<void> {
  const { entry, storedBytes, isSparse } = described;
  const start = bytes.position;
  if (isSparse && described.unknown.length === 0) {
    await readSparse(bytes, entry, visitor);
    if (bytes.position - start !== storedBytes)
      throw new BrokenArchive('a sparse file has other data than its map says');
  } else await copy(bytes, storedBytes, visitor);
  const padding = paddingOf(storedBytes);
  if (padding > 0 && bytes.take(padding) === undefined) await bytes.read(padding);
}

async function readSparse(bytes: ByteReader, { sizeBytes }: ArchiveEntry, visitor: ArchiveVisitor): Promise<void> {
  let done = 0;
  for (const { offset, length } of await readSparseMap(bytes, sizeBytes)) {
    await fillHole(offset - done, visitor);
    await copy(bytes, length, visitor);
    done = offset + length;
  }
  await fillHole(sizeBytes - done, visitor);
}

async function copy(bytes: ByteReader, length: number, visitor: ArchiveVisitor): Promise<void> {
  for (let left = length; left > 0;) {
    const piece = bytes.takeSome(left) ?? (await bytes.readSome(left));
    if (piece === undefined) throw new BrokenArchive('the end of the archive is missing');
    left -= piece.length;
    visitor.onContent?.(piece);
  }
}

/** A hole may be larger than any disk, and others have to have their turn. */
async function fillHole(length: number, visitor: ArchiveVisitor): Promise<void> {
  if (visitor.onContent === undefined) return;
  for (let left = length; left > 0; left -= ZEROS.length) {
    visitor.onContent(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS);
    await nextTurn();
  }
}

/** A second block of zeros, then nothing but zeros. */
async function requireEnd(bytes: ByteReader): Promise<void> {
  if (!isZero(await bytes.read(BLOCK_BYTES))) throw new BrokenArchive('one block of zeros is no end');
  for (;;) {
    const piece = await bytes.readSome(Number.MAX_SAFE_INTEGER);
    if (piece === undefined) return;
    if (!isZero(piece)) throw new BrokenArchive('more follows the end of the archive');
  }
}

function paddingOf(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}
