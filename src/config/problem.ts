import { BackupError } from '../domain/errors.js';

/** One thing that is wrong with the file, where it is, and what to do about it. */
export interface Problem {
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  message: string;
  hint: string;
}

/** `file:line:column: message` and its `HINT:` line, as editors and people read it. */
export function problemText(file: string, { line, column, message, hint }: Problem): string {
  return `${file}:${String(line)}:${String(column)}: ${message}\nHINT: ${hint}`;
}

/** All problems of a file at once, in the order in which they stand there. Each has a `HINT:` line of its own in the message. */
export class ConfigError extends BackupError {
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    const sorted = [...problems].sort((one, other) => one.line - other.line || one.column - other.column);
    const count = sorted.length === 1 ? 'a problem' : `${String(sorted.length)} problems`;
    super(
      'ConfigInvalid',
      [`cannot use ${file}: because it has ${count}:`, ...sorted.map((p) => problemText(file, p))].join('\n'),
    );
    this.problems = sorted;
  }
}
