/** What went wrong, as a word that code, tests and the Web UI can rely on. */
export type ErrorCode =
  | 'ConfigInvalid' // the file, `backup_config` or one entry of it
  | 'LoginRefused' // wrong user or password, access keys refused
  | 'NotFound' // no such database, volume, bucket, artifact, run
  | 'ProgramMissing' // a program that is needed is not installed
  | 'ProgramFailed' // a program ended with an error or by a signal
  | 'ServerUnreachable' // database server, Docker engine, S3 or Temporal does not answer
  | 'DiskFull'
  | 'DirectoryUnknown' // the backup directory is not the one that is expected
  | 'Damaged' // bytes are not what they should be
  | 'Conflict' // a name is taken by something that is not ours to replace
  | 'Stalled' // no byte moved for `stall_timeout`
  | 'TimedOut' // it took longer than its `timeout`
  | 'Unpolled' // no worker polls a host's task queue
  | 'DeadlinePassed'
  | 'Cancelled'
  | 'Failed'; // anything else

/** Retrying these changes nothing until somebody acts; they fail a target at once. */
const FINAL: readonly ErrorCode[] = ['ConfigInvalid', 'LoginRefused', 'NotFound', 'ProgramMissing', 'DirectoryUnknown'];

export interface BackupErrorOptions {
  /** What to do about it, one sentence; printed on a line of its own after `HINT: `. */
  hint?: string;
  cause?: unknown;
  /** Default: false for codes that only a person can mend, true for all others. */
  retryable?: boolean;
}

/** An error meant for people: the message reads `cannot X: because Y`. It never holds a secret. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: BackupErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? !FINAL.includes(code);
  }

  /** Message and hint as they are shown to people, one to two lines. */
  get text(): string {
    return this.hint === undefined ? this.message : `${this.message}\nHINT: ${this.hint}`;
  }
}
