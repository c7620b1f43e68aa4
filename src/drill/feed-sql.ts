import { throwIfAborted } from '../pipeline/abort.js';
import { ReaderGone, writePiece } from '../pipeline/feed.js';
import { requireSuccess, startPipeline } from '../pipeline/process.js';
import { requirePsql } from '../pipeline/tools.js';
import { CONNECTION_OPTIONS, withSession, type DatabaseLogin } from '../sources/postgres/connection.js';

export interface FeedInput {
  login: DatabaseLogin & { signal: AbortSignal };
  /** Their bytes as latin1. */
  statements: readonly string[];
  /** Completes `cannot …`. */
  what: string;
}

/** Runs statements as they stand in a dump; the first error ends it, as ProgramFailed. */
export async function feedSql({ login, statements, what }: FeedInput): Promise<void> {
  const { tools, signal } = login;
  const args = ['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', '-d', CONNECTION_OPTIONS, '-f', '-'];
  await withSession(login, async ({ env }) => {
    const psql = { file: requirePsql(tools).path, args, env };
    const { stdin, finished } = startPipeline({ stages: [psql], stdin: 'pipe', stdout: 'ignore', signal });
    try {
      for (const statement of statements) await writePiece(stdin, Buffer.from(`${statement}\n`, 'latin1'));
    } catch (error) {
      if (!(error instanceof ReaderGone)) throw error; // it says itself why
    } finally {
      stdin.end();
    }
    const results = await finished;
    throwIfAborted(signal);
    requireSuccess(results, what);
  });
}
