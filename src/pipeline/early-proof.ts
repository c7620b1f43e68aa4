import { stat } from 'node:fs/promises';
import type { FileFacts } from '../destinations/destination.js';
import { Growth } from './growth.js';
import { proveGrowing, type ProveInput } from './prove.js';

/** With less nothing is won: the proof of that takes a tenth of a second. */
const LEAST_BYTES = 16 * 1024 * 1024;

/**
 * The proof of a file while it is written, at its end alone: what a capture leaves of the processors reads back what it wrote, so that
 * little is left to be read when it is done (a tenth of the whole on two cores). It can only say that all is well.
 */
export class EarlyProof {
  readonly #growth = new Growth();
  readonly #givenUp = new AbortController();
  readonly #facts: Promise<FileFacts | undefined>;

  constructor(input: ProveInput) {
    this.#facts = this.#prove(input).catch(() => undefined);
  }

  /** To be called when nothing more is written. The facts; undefined where the file has to be proved from its start, which says what is wrong. */
  finish(): Promise<FileFacts | undefined> {
    this.#growth.end();
    return this.#facts;
  }

  /** Its programs are gone when this resolves. */
  async giveUp(): Promise<void> {
    this.#givenUp.abort();
    await this.finish();
  }

  async #prove(input: ProveInput): Promise<FileFacts | undefined> {
    while ((await stat(input.path)).size < LEAST_BYTES) {
      if (this.#growth.hasEnded) return undefined;
      await this.#growth.pause();
    }
    const { signal: outer } = input;
    const signal = AbortSignal.any([this.#givenUp.signal, ...(outer === undefined ? [] : [outer])]);
    // Until then the capture tells how far it is.
    const onProgress = (bytesDone: number) => {
      if (this.#growth.hasEnded) input.onProgress?.(bytesDone);
    };
    return proveGrowing({ ...input, signal, onProgress, growth: this.#growth });
  }
}
