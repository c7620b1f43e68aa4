import { BackupError } from '../../domain/errors.js';
import { durationText } from '../../domain/quantities.js';

/** Ends what goes on once the containers were down for too long. */
export class DowntimeClock {
  readonly passed: BackupError;
  readonly signal: AbortSignal;
  readonly #maxMs: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs: number | undefined;

  constructor(what: string, signal: AbortSignal, maxMs: number) {
    const message = `cannot ${what}: because its containers were down for longer than max_downtime (${durationText(maxMs)})`;
    const hint =
      'give it more by max_downtime, compress less (compression_level), or take pause_containers where the stopping takes long';
    this.passed = new BackupError('DeadlinePassed', message, { hint, retryable: false });
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    this.#maxMs = maxMs;
  }

  get hasPassed(): boolean {
    return this.#controller.signal.aborted;
  }

  get elapsedMs(): number {
    return this.#startedAtMs === undefined ? 0 : Date.now() - this.#startedAtMs;
  }

  start(): void {
    this.#startedAtMs = Date.now();
    this.#timer = setTimeout(() => this.#controller.abort(this.passed), this.#maxMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
