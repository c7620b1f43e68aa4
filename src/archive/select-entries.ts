import { BrokenArchive } from './broken-archive.js';
import { ByteReader } from './byte-reader.js';
import type { ArchiveEntry } from './entry.js';
import { describeEntry } from './extended-entry.js';
import { BLOCK_BYTES, isZero, parseHeader } from './header.js';
import { NO_RECORDS, parsePax, type PaxRecords } from './pax.js';
import { extendedHeader } from './pax-header.js';
import type { PathChoice } from './path-choice.js';

export interface SelectInput {
  /** The archive, uncompressed. */
  chunks: AsyncIterable<Buffer>;
  choice: PathChoice;
  /**
   * Of hard links that are chosen while the name with the content is not: that name, to the chosen one that gets the content.
   * Found out by a first pass.
   */
  contents: ReadonlyMap<string, string>;
  /** Takes the next bytes of the smaller archive. */
  write(piece: Buffer): Promise<void>;
}

const MOST_EXTENDED_BYTES = 64 * 1024 * 1024;
const END = Buffer.alloc(2 * BLOCK_BYTES);

/** An entry and the headers that came before it, as they lie in the archive. */
interface RawEntry {
  entry: ArchiveEntry;
  records: PaxRecords;
  extended: Buffer[];
  header: Buffer;
  /** Of what follows, blocks filled up. */
  paddedBytes: number;
}

/**
 * Makes a smaller archive of what is chosen, and of the directories above it, in one pass and in memory of one entry's headers. Bytes are
 * passed on as they are. Returns the hard links that lack their content, as `contents` of another pass. Throws BrokenArchive.
 */
export async function selectEntries(input: SelectInput): Promise<Map<string, string>> {
  const bytes = new ByteReader(input.chunks);
  const lacking = new Map<string, string>();
  for (let raw = await nextEntry(bytes); raw !== undefined; raw = await nextEntry(bytes)) {
    const headers = headersFor(raw, input, lacking);
    for (const piece of headers ?? []) await input.write(piece);
    await passContent(bytes, raw.paddedBytes, headers === undefined ? undefined : input.write);
  }
  await input.write(END);
  await bytes.drain();
  return lacking;
}

async function nextEntry(bytes: ByteReader): Promise<RawEntry | undefined> {
  let records = NO_RECORDS;
  const extended: Buffer[] = [];
  for (;;) {
    const { position } = bytes;
    const header = bytes.take(BLOCK_BYTES) ?? (await bytes.read(BLOCK_BYTES));
    if (header[0] === 0 && isZero(header)) return undefined;
    const parsed = parseHeader(header, position);
    if (parsed.typeFlag !== 'x' && parsed.typeFlag !== 'g') {
      const { entry, storedBytes } = describeEntry(parsed, records);
      return { entry, records, extended, header, paddedBytes: padded(storedBytes) };
    }
    if (parsed.sizeBytes > MOST_EXTENDED_BYTES)
      throw new BrokenArchive(`the extended header at byte ${String(position)} has ${String(parsed.sizeBytes)} bytes`);
    const data = await bytes.read(padded(parsed.sizeBytes));
    extended.push(header, data);
    records = parsePax(data.subarray(0, parsed.sizeBytes), position);
  }
}

/** What is written before an entry's content; undefined where it is left out. */
function headersFor(
  raw: RawEntry,
  { choice, contents }: SelectInput,
  lacking: Map<string, string>,
): Buffer[] | undefined {
  const { entry, header, extended, records } = raw;
  const asItIs = [...extended, header];
  const newName = contents.get(entry.path);
  const isChosen = choice.take(entry);
  if (!isChosen) return newName === undefined ? undefined : [...extendedHeader(renamed(records, newName)), header];
  if (entry.type !== 'hard link' || choice.includes(entry.linkTarget)) return asItIs;
  const leader = contents.get(entry.linkTarget);
  if (leader === entry.path) return undefined; // it came as the content already
  if (leader !== undefined) return [...extendedHeader(withRecord(records, 'linkpath', leader)), header];
  if (!lacking.has(entry.linkTarget)) lacking.set(entry.linkTarget, entry.path);
  return undefined;
}

const SPARSE_NAME = 'GNU.sparse.name';

function renamed(records: PaxRecords, name: string): PaxRecords {
  return withRecord(records, records.has(SPARSE_NAME) ? SPARSE_NAME : 'path', name);
}

function withRecord(records: PaxRecords, key: string, path: string): PaxRecords {
  return new Map([...records, [key, Buffer.from(`./${path}`, 'latin1')]]);
}

async function passContent(bytes: ByteReader, length: number, write?: (piece: Buffer) => Promise<void>): Promise<void> {
  for (let left = length; left > 0;) {
    const piece = bytes.takeSome(left) ?? (await bytes.readSome(left));
    if (piece === undefined) throw new BrokenArchive('the end of the archive is missing');
    left -= piece.length;
    await write?.(piece);
  }
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
}
