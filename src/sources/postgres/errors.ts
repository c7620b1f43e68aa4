import { basename } from 'node:path';
import { BackupError, type ErrorCode } from '../../domain/errors.js';
import { failedStage, lastLines, type StageResult } from '../../pipeline/process.js';

interface Translation {
  pattern: RegExp;
  code: ErrorCode;
  hint: string;
}

const CLIENTS = new Set(['pg_dump', 'pg_dumpall', 'pg_restore', 'psql']);
/** psql's code for a connection that could not be made, or was lost. */
const PSQL_NO_CONNECTION = 2;
const CONNECTING = /connection to server (at|on) |could not translate host name|could not connect to server/;

/** What libpq says, in the order in which it counts; what matches none is a server that does not answer (yet). */
const CONNECTION_FAILURES: readonly Translation[] = [
  {
    pattern: /FATAL: +(database ".*" does not exist|no such database)/s,
    code: 'NotFound',
    hint: 'check `database` of the target, or create it on the server',
  },
  {
    pattern: /pg_hba\.conf/,
    code: 'LoginRefused',
    hint: 'pg_hba.conf of the server has to allow this host, user and database (and `sslmode` has to fit)',
  },
  {
    pattern:
      /no password supplied|authentication failed|role ".*" does not exist|no such user|not permitted to log in/s,
    code: 'LoginRefused',
    hint: 'check `user` and `password` of the target',
  },
  {
    pattern: /permission denied for database/,
    code: 'LoginRefused',
    hint: 'GRANT CONNECT ON DATABASE … TO the user of the target',
  },
  {
    pattern: /does not support SSL|SSL error|certificate|invalid sslmode|sslmode value/,
    code: 'LoginRefused',
    hint: 'check `sslmode` of the target and the certificates of the server',
  },
];
const UNREACHABLE: Omit<Translation, 'pattern'> = {
  code: 'ServerUnreachable',
  hint: 'check that the server runs, and `host` and `port` of the target',
};

const STATEMENT_FAILURES: readonly Translation[] = [
  {
    pattern: /permission denied to (create|alter|grant) role|must be superuser to (create|alter|change) /,
    code: 'LoginRefused',
    hint: 'to make roles the user of the target needs CREATEROLE, for superusers among them SUPERUSER; `--no-owner` goes without',
  },
  {
    pattern: /permission denied|must be (owner|member|superuser)|must be able to SET ROLE/,
    code: 'LoginRefused',
    hint: 'to back up, GRANT pg_read_all_data TO the user of the target is enough; to restore with `--no-owner`, CREATEDB is',
  },
  {
    pattern: /database ".*" already exists/s,
    code: 'Conflict',
    hint: 'choose another name with `--into`, or rename or drop the one that is there',
  },
  {
    pattern: /row-level security/,
    code: 'LoginRefused',
    hint: 'the user of the target has to see all rows: ALTER ROLE … BYPASSRLS',
  },
  {
    // pg_dump waits for locks under a statement timeout.
    pattern: /due to (lock|statement) timeout/,
    code: 'ProgramFailed',
    hint: 'another session holds an exclusive lock on a table; see pg_locks on the server',
  },
];

export interface FailedWork {
  /** What could not be connected to. */
  subject: string;
  /** Completes `cannot …` where the connection stood. */
  what: string;
}

/** `cannot connect to <subject>: because …`, or `cannot <what>: because …`, with code and hint; other errors as they are. */
export function translatePostgresError(error: unknown, { subject, what }: FailedWork): unknown {
  const stage = failedStage(error);
  if (stage === undefined || stage.exitCode === null || !CLIENTS.has(basename(stage.file))) return error;
  const said = messageOf(stage.stderr);
  if (isConnectionFailure(stage)) {
    const { code, hint } = CONNECTION_FAILURES.find(({ pattern }) => pattern.test(said)) ?? UNREACHABLE;
    return new BackupError(code, `cannot connect to ${subject}: because ${said}`, { hint, cause: error });
  }
  const { code, hint } = STATEMENT_FAILURES.find(({ pattern }) => pattern.test(said)) ?? { code: 'ProgramFailed' };
  return new BackupError(code, `cannot ${what}: because ${said}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}

function isConnectionFailure({ file, exitCode, stderr }: StageResult): boolean {
  return (basename(file) === 'psql' && exitCode === PSQL_NO_CONNECTION) || CONNECTING.test(stderr);
}

/** Without the names of program and input, which are no help to people here. */
function messageOf(stderr: string): string {
  return lastLines(stderr)
    .replaceAll(/^(psql|pg_dump|pg_dumpall|pg_restore):( error:| fatal:|<stdin>:\d+:)? /gm, '')
    .replaceAll(/^password retrieved from file .*$\n?/gm, '') // a file that only lived as long as the program
    .replaceAll(/\s*\n\s*/g, ' ');
}
