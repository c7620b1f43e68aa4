import { createInterface } from 'node:readline/promises';

export type InterruptChoice = 'detach' | 'cancel' | 'go-on';

/** Ctrl-C while a run is followed: asks at a terminal, and cancels where nobody can be asked. */
export class Interrupt {
  #interrupted: (() => void) | undefined;
  #count = 0;

  /** Calls `onInterrupt` at each Ctrl-C (or SIGTERM) until the returned function is called; `choose` asks, and writes to the terminal. */
  watch(onInterrupt: (choose: () => Promise<InterruptChoice>) => void): () => void {
    this.#interrupted = () => onInterrupt(() => this.#choose());
    process.on('SIGINT', this.#interrupted);
    process.on('SIGTERM', this.#interrupted);
    const handler = this.#interrupted;
    return () => {
      process.off('SIGINT', handler);
      process.off('SIGTERM', handler);
    };
  }

  async #choose(): Promise<InterruptChoice> {
    this.#count += 1;
    if (this.#count > 1) return 'detach';
    if (!process.stdin.isTTY) return 'cancel';
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    try {
      prompt.on('SIGINT', () => prompt.close());
      const answer = await prompt.question('\n[d]etach and let the run go on, [c]ancel it, or go on following? ');
      return (
        ({ d: 'detach', c: 'cancel' }[answer.trim().toLowerCase().charAt(0)] as InterruptChoice | undefined) ?? 'go-on'
      );
    } catch {
      return 'detach'; // Ctrl-C at the question
    } finally {
      this.#count = 0;
      prompt.close();
    }
  }
}
