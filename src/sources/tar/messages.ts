import { BackupError } from '../../domain/errors.js';
import type { Tool } from '../../pipeline/tools.js';

/** What tar (and a compressor beside it) said, in its order: the first lines, the last ones, and how many there were. */
export interface TarLines {
  firstLines: string[];
  lastLines: string[];
  lineCount: number;
}

const MAX_FIRST_LINES = 100;
const MAX_LAST_LINES = 10;
/** Says nothing that the exit code does not say. */
const NOISE = /^tar: (Exiting with failure status due to previous errors|Error is not recoverable: exiting now)$/;
/** What tar says of what it counts as no failure. */
const REMARK =
  /: (socket ignored|file changed as we read it|File removed before we read it|File shrank by \d+ bytes.*)$/;
const REFUSED = /: (Permission denied|Operation not permitted)$/;
/** How tar tells that a file could not be written: the error itself, or that a write was cut short before it. */
export const NO_ROOM = /: (No space left on device|Disk quota exceeded|Wrote only \d+ of \d+ bytes)$/m;

/** The programs ran and could not make of the archive what it holds. */
export class ExtractionFailed extends BackupError {
  constructor(message: string, hint?: string) {
    super('ProgramFailed', message, hint === undefined ? {} : { hint });
  }
}

export function noTarLines(): TarLines {
  return { firstLines: [], lastLines: [], lineCount: 0 };
}

/** Takes a line, read as latin1. */
export function takeTarLine(lines: TarLines, line: string): void {
  if (line === '' || NOISE.test(line)) return;
  const { firstLines, lastLines } = lines;
  lines.lineCount += 1;
  if (firstLines.length < MAX_FIRST_LINES) firstLines.push(readable(line));
  lastLines.push(readable(line));
  if (lastLines.length > MAX_LAST_LINES) lastLines.shift();
}

/** Cuts what the tar under `path` writes into lines, whatever the pieces are that it comes in; it calls itself by that path. */
export class TarLineReader {
  readonly lines = noTarLines();
  readonly #self: string;
  #rest = '';

  constructor({ path }: Tool) {
    this.#self = `${path}: `;
  }

  /** To be given each piece of its stderr. */
  readonly take = (piece: Buffer): void => {
    const [first = '', ...others] = piece.toString('latin1').split('\n');
    const whole = [this.#rest + first, ...others];
    this.#rest = whole.pop() ?? '';
    for (const line of whole) {
      takeTarLine(this.lines, line.startsWith(this.#self) ? `tar: ${line.slice(this.#self.length)}` : line);
    }
  };
}

/** The lines that tell why tar failed: the first that are no mere remark, else the last ones. */
export function failureLines({ firstLines, lastLines, lineCount }: TarLines): string[] {
  const failures = firstLines.filter((line) => !REMARK.test(line));
  if (failures.length === 0) return lastLines;
  const told = failures.slice(0, MAX_LAST_LINES);
  const more = failures.length - told.length + lineCount - firstLines.length;
  return more === 0 ? told : [...told, `(and ${String(more)} more lines)`];
}

/** Whether the system refused tar something. */
export function wasRefused({ firstLines, lastLines }: TarLines): boolean {
  return [...firstLines, ...lastLines].some((line) => REFUSED.test(line));
}

/** The lines of a good end: files that changed, shrank or vanished while they were read, sockets left out. */
export function remarks({ firstLines, lineCount }: TarLines): string[] {
  const left = lineCount - firstLines.length;
  return left === 0 ? firstLines : [...firstLines, `tar wrote ${String(left)} more lines like these`];
}

/** tar writes the bytes of a name that are not ASCII as `\303\251`; this gives them back where they are UTF-8. */
export function readable(text: string): string {
  const bytes = text.replace(/\\\\|\\([2-3][0-7]{2})/g, (escaped, octal: string | undefined) =>
    octal === undefined ? escaped : String.fromCharCode(parseInt(octal, 8)),
  );
  const decoded = Buffer.from(bytes, 'latin1').toString('utf8');
  return decoded.includes('\uFFFD') ? text : decoded;
}
