import { open, type FileHandle } from 'node:fs/promises';
import { isMissing, naming } from './destinations/local-errors.js';

const CHUNK_BYTES = 64 * 1024;
const NEW_LINE = 0x0a;

/** Reads a file that others write to, whole lines only. One that was cut or made anew is read from its beginning. */
export class GrowingFile {
  #position = 0;
  #file: string | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(private readonly path: string) {}

  /** Hands all whole lines that were written since the last call to `take`; of a file that is not there, none. */
  async readLines(take: (lines: Buffer) => Promise<void>): Promise<void> {
    await naming(`read ${this.path}`, async () => {
      const file = await open(this.path).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      try {
        if (file !== undefined) await this.#read(file, take);
      } finally {
        await file?.close();
      }
    });
  }

  /** What was written of a line that has no end. */
  get rest(): Buffer {
    return this.#rest;
  }

  async #read(file: FileHandle, take: (lines: Buffer) => Promise<void>): Promise<void> {
    const { size, ino, birthtimeNs } = await file.stat({ bigint: true });
    const now = `${ino} ${birthtimeNs}`; // a new file often gets the inode of the one that was removed
    if (size < this.#position || (this.#file !== undefined && this.#file !== now)) {
      this.#position = 0;
      this.#rest = Buffer.alloc(0);
    }
    this.#file = now;
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const text = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
      const end = text.lastIndexOf(NEW_LINE) + 1;
      this.#rest = text.subarray(end);
      if (end > 0) await take(text.subarray(0, end));
    }
  }
}
