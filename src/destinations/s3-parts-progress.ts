import type { TransferOptions } from './destination.js';

/** How far an upload is whose parts go up several at once. */
export class PartsProgress {
  readonly #sending = new Map<number, number>();
  #doneBytes = 0;

  constructor(private readonly told: Pick<TransferOptions, 'onProgress' | 'onUnderWay'>) {}

  /** Of a part that is under way; less than before where it is sent anew. */
  sent(number: number, bytesSent: number): void {
    this.#sending.set(number, bytesSent);
    this.#tellUnderWay();
  }

  /** The store has it. */
  done(number: number, sizeBytes: number): void {
    this.#sending.delete(number);
    this.#doneBytes += sizeBytes;
    this.told.onProgress(this.#doneBytes);
    this.#tellUnderWay();
  }

  #tellUnderWay(): void {
    let bytes = this.#doneBytes;
    for (const sent of this.#sending.values()) bytes += sent;
    if (bytes > this.#doneBytes) this.told.onUnderWay?.(bytes);
  }
}
