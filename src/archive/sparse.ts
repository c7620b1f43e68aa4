import { BrokenArchive } from './broken-archive.js';
import type { ByteReader } from './byte-reader.js';
import { BLOCK_BYTES } from './header.js';

/** A part of a file that is there; all else are holes. */
export interface Extent {
  offset: number;
  length: number;
}

const MOST_EXTENTS = 10_000_000;

/**
 * Reads the map of a sparse file (GNU's format 1.0), which lies before its data: how many extents there are, then offset and
 * length of each, a decimal number to a line, filled up to whole blocks. Throws BrokenArchive.
 */
export async function readSparseMap(bytes: ByteReader, sizeBytes: number): Promise<Extent[]> {
  const numbers = new NumberLines(bytes);
  const count = await numbers.next();
  if (count > MOST_EXTENTS) throw new BrokenArchive(`a file has a map of ${String(count)} extents`);
  const extents: Extent[] = [];
  let end = 0;
  for (let index = 0; index < count; index += 1) {
    const extent = { offset: await numbers.next(), length: await numbers.next() };
    if (extent.offset < end || extent.offset + extent.length > sizeBytes)
      throw new BrokenArchive('the map of a sparse file does not fit the file');
    end = extent.offset + extent.length;
    extents.push(extent);
  }
  return extents;
}

class NumberLines {
  #block: Buffer = Buffer.alloc(0);

  constructor(private readonly bytes: ByteReader) {}

  async next(): Promise<number> {
    let digits = '';
    for (;;) {
      const end = this.#block.indexOf(0x0a);
      digits += this.#block.toString('latin1', 0, end === -1 ? this.#block.length : end);
      if (end !== -1) {
        this.#block = this.#block.subarray(end + 1);
        break;
      }
      if (digits.length > 20) break;
      this.#block = await this.bytes.read(BLOCK_BYTES);
    }
    if (!/^\d{1,15}$/.test(digits)) throw new BrokenArchive('the map of a sparse file is none');
    return Number(digits);
  }
}
