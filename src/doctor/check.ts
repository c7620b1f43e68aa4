import { mapBounded } from '../bounded.js';
import { BackupError } from '../domain/errors.js';

/** One question that `doctor` asks. */
export interface Check {
  /** What kind of thing is looked at: `database`, `destination`, `tool`, … */
  check: string;
  /** Which one of them. */
  subject: string;
  /** Resolves with what was found where all is well; throws a BackupError that says what is not, with a hint. */
  run: (signal: AbortSignal) => Promise<string>;
}

/** A row of `doctor --json`. */
export interface Finding {
  check: string;
  subject: string;
  ok: boolean;
  message: string;
  hint?: string;
}

export interface RunChecksInput {
  checks: readonly Check[];
  /** A check that takes longer is a problem. */
  timeoutMs: number;
  /** Takes secrets out of what is found. */
  redact: (text: string) => string;
}

const CHECKS_AT_ONCE = 12;

/** Asks every question, and finds the answers in their order; none of them can stop the others. One that hangs is left alone. */
export async function runChecks({ checks, timeoutMs, redact }: RunChecksInput): Promise<Finding[]> {
  return mapBounded(checks, CHECKS_AT_ONCE, async ({ check, subject, run }) => {
    const deadline = new Deadline(timeoutMs);
    try {
      const message = redact(await Promise.race([run(deadline.signal), deadline.passed]));
      return { check, subject, ok: true, message };
    } catch (error) {
      return { check, subject, ok: false, ...problemOf(error, redact) };
    } finally {
      deadline.lift();
    }
  });
}

class Deadline {
  readonly passed: Promise<never>;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    const error = new BackupError('ServerUnreachable', `there is no answer after ${String(timeoutMs / 1000)} s`, {
      hint: 'see whether it hangs, or the network on the way to it drops packets',
    });
    this.passed = new Promise((_resolve, reject) => {
      this.#timer = setTimeout(() => {
        reject(error);
        this.#controller.abort(error);
      }, timeoutMs);
    });
  }

  /** Aborts once the deadline has passed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  lift(): void {
    clearTimeout(this.#timer);
  }
}

function problemOf(error: unknown, redact: (text: string) => string): Pick<Finding, 'message' | 'hint'> {
  if (!(error instanceof BackupError))
    return { message: redact(error instanceof Error ? `${error.name}: ${error.message}` : String(error)) };
  const { message, hint } = error;
  return { message: redact(message), ...(hint !== undefined && { hint: redact(hint) }) };
}
