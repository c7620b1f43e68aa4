import type { WriteStream } from 'node:tty';
import { formatBytes } from './format.js';

export interface ProgressLineInput {
  stream: Pick<WriteStream, 'isTTY' | 'write'>;
  /** Default: that of the computer. */
  now?: () => number;
}

const REDRAW_MS = 200;
const ERASE_LINE = '\r\x1b[K';

/** One line at the bottom of a terminal that tells how far something is; nothing anywhere else. */
export class ProgressLine {
  readonly #stream: ProgressLineInput['stream'];
  readonly #now: () => number;
  #drawnAtMs = -Infinity;
  #isDrawn = false;

  constructor({ stream, now = Date.now }: ProgressLineInput) {
    this.#stream = stream;
    this.#now = now;
  }

  /** `totalBytes` is how many there will be, as far as is known. */
  show(bytesDone: number, totalBytes: number | undefined): void {
    if (!this.#stream.isTTY || this.#now() - this.#drawnAtMs < REDRAW_MS) return;
    this.#drawnAtMs = this.#now();
    this.#isDrawn = true;
    this.#stream.write(`${ERASE_LINE}${progressText(bytesDone, totalBytes)}`);
  }

  /** Has to be called before anything else is written to the terminal. */
  clear(): void {
    if (this.#isDrawn) this.#stream.write(ERASE_LINE);
    this.#isDrawn = false;
  }
}

function progressText(bytesDone: number, totalBytes: number | undefined): string {
  if (totalBytes === undefined || totalBytes === 0) return formatBytes(bytesDone);
  const percent = Math.min(100, Math.floor((100 * bytesDone) / totalBytes));
  return `${formatBytes(bytesDone)} of ${formatBytes(totalBytes)} (${String(percent)} %)`;
}
