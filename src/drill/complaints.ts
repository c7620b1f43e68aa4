import { basename } from 'node:path';
import { BackupError } from '../domain/errors.js';
import { failedStage, type StageResult } from '../pipeline/process.js';
import { DrillFailed, Unverifiable } from './verdict.js';

/** psql's code for a statement that failed. */
const PSQL_STATEMENT_FAILED = 3;

/** Not the artifact's fault, and no lack of something that could be installed: the drill itself went wrong. */
const TROUBLE =
  /no space left on device|disk quota exceeded|out of memory|out of shared memory|could not fork|too many open files|input\/output error|terminating connection|server closed the connection|could not (?:extend|write to) file/i;

/** What this machine lacks, and that server had: then nothing is said about the artifact. */
const LACKING: readonly { pattern: RegExp; reason: (match: RegExpExecArray) => string }[] = [
  {
    pattern: /could not open extension control file "(?:.*\/)?(.+?)\.control"|extension "(.+?)" is not available/,
    reason: ([, file, name]) => `the extension ${name ?? file ?? ''} is not installed here`,
  },
  {
    pattern: /could not access file "(.+?)"|could not load library "(.+?)"/,
    reason: ([, file, library]) => `the library ${file ?? library ?? ''} is not installed here`,
  },
  {
    pattern: /(\S+) (?:can only|must) be (?:loaded|preloaded) via "?shared_preload_libraries/,
    reason: ([, name]) => `${name ?? 'an extension'} has to be preloaded by the server`,
  },
  {
    pattern: /could not open (?:dictionary|stop-word|thesaurus|synonym|affix|\w+) file "(.+?)"/,
    reason: ([, file]) => `the text search file ${file ?? ''} is not installed here`,
  },
  {
    pattern:
      /invalid LC_\w+ locale name: "(.+?)"|invalid locale name: "(.+?)"|could not create locale "(.+?)"|invalid value for parameter "lc_\w+": "(.+?)"/,
    reason: (match) => `the locale ${match.slice(1).find(Boolean) ?? ''} is not installed here`,
  },
  {
    pattern: /invalid value for parameter "(.+?)": "(.*?)"/,
    reason: ([, name, value]) => `the server here knows no ${name ?? ''} "${value ?? ''}"`,
  },
  { pattern: /ICU is not supported in this build/, reason: () => 'the server here was built without ICU' },
  {
    pattern: /not supported by this build|built without .* support/i,
    reason: ([said]) => `of the server here: ${said}`,
  },
  { pattern: /invalid command \\(?:un)?restrict/, reason: () => 'psql here is older than the dump: update it' },
];

/** `error`, or the verdict that it stands for where PostgreSQL refused what it was fed. */
export function judged(error: unknown): unknown {
  const stage = statementFailure(error);
  if (stage === undefined) return error;
  const said = errorLines(stage.stderr);
  if (TROUBLE.test(said)) return troubleOf(said, error);
  for (const { pattern, reason } of LACKING) {
    const match = pattern.exec(said);
    if (match !== null) return new Unverifiable(reason(match));
  }
  return new DrillFailed(said);
}

/** What kept a server from being made or started, in words. */
export function serverTrouble(error: unknown): unknown {
  const stage = error instanceof BackupError ? failedStage(error) : undefined;
  return stage === undefined ? error : troubleOf(errorLines(stage.stderr), error);
}

function troubleOf(said: string, cause: unknown): BackupError {
  const isFull = /no space left on device|quota exceeded|wrote only \d+ of \d+ bytes/i.test(said);
  const message = `cannot go on with the drill: because ${said}`;
  return isFull
    ? new BackupError('DiskFull', message, { hint: 'a drill needs room for the whole database', cause })
    : new BackupError('ProgramFailed', message, { cause });
}

function statementFailure(error: unknown): StageResult | undefined {
  for (let at = error; at instanceof BackupError; at = at.cause) {
    const stage = failedStage(at);
    if (stage !== undefined) return isOfPsql(stage) ? stage : undefined;
  }
  return undefined;
}

function isOfPsql({ file, exitCode }: StageResult): boolean {
  return basename(file) === 'psql' && exitCode === PSQL_STATEMENT_FAILED;
}

/** Without the statement and the row that are shown with it: they may hold secrets. */
function errorLines(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /(?:^|: )(?:ERROR|FATAL|PANIC|error):|invalid command/.test(line));
  const told = lines.length === 0 ? stderr.split('\n').slice(0, 1) : lines;
  return told
    .map((line) => line.replace(/^psql:<stdin>:\d+: /, ''))
    .join('; ')
    .slice(0, 500);
}
