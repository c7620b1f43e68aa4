const KEPT_CHARACTERS = 16 * 1024;
const GRAVE = '(?:warning|error|fatal|detail|hint): ';
/** Jobs write to one pipe, program, gravity and text each at once: another one's may come between any two. */
const BEGIN = new RegExp(`^(?:pg_dump: |${GRAVE})`);
const KEPT = new RegExp(`^(?:pg_dump: )*${GRAVE}`);

/** What pg_dump says with `--verbose`, without what it would not say otherwise. */
export class VerboseMessages {
  /** Resolves when it says anything. */
  readonly first: Promise<void>;
  private speak = () => {};
  private line = '';
  private kept = '';
  private isKeeping = false;

  constructor() {
    this.first = new Promise((resolve) => {
      this.speak = resolve;
    });
  }

  add(piece: Buffer): void {
    this.speak();
    const lines = (this.line + piece.toString('latin1')).split('\n');
    this.line = lines.pop() ?? '';
    for (const line of lines) this.keep(`${line}\n`);
  }

  text(): string {
    if (this.line !== '') this.keep(this.line);
    this.line = '';
    return Buffer.from(this.kept, 'latin1').toString('utf8');
  }

  private keep(line: string): void {
    if (BEGIN.test(line)) this.isKeeping = KEPT.test(line); // else it goes on with the message before
    if (this.isKeeping) this.kept = (this.kept + line).slice(-KEPT_CHARACTERS);
  }
}
