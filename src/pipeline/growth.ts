import { setTimeout as delay } from 'node:timers/promises';

/** How long a reader that has all there is waits for more. */
const PAUSE_MS = 100;

/** Whether somebody still writes to a file, at its end alone. */
export class Growth {
  readonly #end = new AbortController();

  get hasEnded(): boolean {
    return this.#end.signal.aborted;
  }

  /** Nothing more is written. */
  end(): void {
    this.#end.abort();
  }

  /** Resolves after a while, or at the end. */
  async pause(): Promise<void> {
    await delay(PAUSE_MS, undefined, { signal: this.#end.signal }).catch(() => undefined);
  }
}
