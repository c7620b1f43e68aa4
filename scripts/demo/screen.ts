const INDENT = '   ';

/** What the demo tells its reader. Every text passes `redact`. */
export class Screen {
  #step = 0;

  constructor(private readonly redact: (text: string) => string) {
    // A reader who has gone (`| head`, a closed terminal) is no reason to leave servers behind.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  }

  title(text: string): void {
    this.#write(`${text}\n`);
  }

  /** A numbered heading. */
  step(text: string): void {
    this.#step += 1;
    this.#write(`\n${String(this.#step)}. ${text}\n`);
  }

  heading(text: string): void {
    this.#write(`\n${text}\n`);
  }

  line(text: string): void {
    this.#write(`${text === '' ? '' : INDENT}${text}\n`);
  }

  row(label: string, text: string): void {
    this.line(`${label.padEnd(11)} ${text}`);
  }

  /** A problem, on stderr. */
  problem(text: string): void {
    process.stderr.write(this.redact(`\n${text}\n`));
  }

  #write(text: string): void {
    process.stdout.write(this.redact(text));
  }
}
