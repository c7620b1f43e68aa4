import { BrokenArchive } from './broken-archive.js';

const NOTHING = Buffer.alloc(0);

/** Cuts a stream into the pieces that are asked for. Where what is asked for is at hand, nothing is copied or awaited. */
export class ByteReader {
  /** Of all bytes that were handed out. */
  position = 0;
  readonly #chunks: AsyncIterator<Buffer>;
  #chunk: Buffer = NOTHING;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, or undefined where they have to be waited for. */
  take(length: number): Buffer | undefined {
    if (this.#chunk.length < length) return undefined;
    const taken = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    this.position += length;
    return taken;
  }

  /** Exactly so many bytes; BrokenArchive where the stream ends before. */
  async read(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const piece = this.takeSome(missing) ?? (await this.readSome(missing));
      if (piece === undefined)
        throw new BrokenArchive(this.position === 0 ? 'it holds nothing' : 'the end of the archive is missing');
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  /** What is at hand, at most so many bytes. */
  takeSome(most: number): Buffer | undefined {
    return this.#chunk.length === 0 ? undefined : this.take(Math.min(most, this.#chunk.length));
  }

  /** The next bytes, at least one and at most so many; undefined at the end of the stream. */
  async readSome(most: number): Promise<Buffer | undefined> {
    while (this.#chunk.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#chunk = next.value;
    }
    return this.takeSome(most);
  }

  /** Passes over all that is left. */
  async drain(): Promise<void> {
    while ((await this.readSome(Number.MAX_SAFE_INTEGER)) !== undefined);
  }
}
