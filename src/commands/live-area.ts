import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';

export type LiveStream = Pick<WriteStream, 'isTTY' | 'columns' | 'rows' | 'write'>;

const REDRAW_MS = 200;

/**
 * Lines at the bottom of a terminal that are drawn over themselves, five times a second at most. Whatever else is written to the
 * terminal goes through `above`. The cursor stays where it is and visible, so that no way of ending leaves the terminal without one.
 */
export class LiveArea {
  readonly #stream: LiveStream;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #timer: NodeJS.Timeout;
  #isPaused = false;
  #drawnAtMs = -Infinity;

  /** `lines` is asked for what to draw, within a width and a height. */
  constructor(
    stream: LiveStream,
    private readonly lines: (columns: number, rows: number) => string[],
  ) {
    this.#stream = stream;
    this.#update = createLogUpdate(stream as WriteStream, { showCursor: true });
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  /** Has `write` write whole lines above the area. */
  above(write: () => void): void {
    this.#update.clear();
    write();
    if (Date.now() - this.#drawnAtMs >= REDRAW_MS) this.#draw();
  }

  /** Gives the terminal to somebody else. */
  pause(): void {
    this.#update.clear();
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Goes without a trace. */
  end(): void {
    clearInterval(this.#timer);
    this.pause();
  }

  #draw(): void {
    if (this.#isPaused) return;
    this.#drawnAtMs = Date.now();
    // The cursor stands on the line below; a terminal of unknown size counts as a small one.
    const { columns = 80, rows = 24 } = this.#stream;
    const lines = this.lines(Math.max(1, columns - 1), Math.max(1, rows - 2));
    if (lines.length === 0) this.#update.clear();
    else this.#update(lines.join('\n'));
  }
}
