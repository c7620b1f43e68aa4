import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { throwIfAborted } from '../pipeline/abort.js';
import { writePiece } from '../pipeline/feed.js';
import { requireSuccess, startPipeline, type StageResult } from '../pipeline/process.js';
import { splitAt } from './split.js';

export interface LineSink {
  /** ASCII, with its newline. */
  add(line: string): void;
  /** To be awaited between pieces of work: until then lines wait in memory. */
  flush(): Promise<void>;
}

export interface SortInput {
  /** The file to make; what does not fit into memory lies beside it meanwhile. */
  path: string;
  signal: AbortSignal;
}

const BUFFER = '32M';
const FLUSH_CHARACTERS = 256 * 1024;
/** The order of bytes. */
const ENVIRONMENT = { LC_ALL: 'C' };

/** Writes the lines that `fill` adds to a file, sorted, in bounded memory. */
export async function sortLines<T>({ path, signal }: SortInput, fill: (sink: LineSink) => Promise<T>): Promise<T> {
  const file = await open(path, 'wx', 0o600);
  try {
    const args = [`--buffer-size=${BUFFER}`, '--parallel=1', `--temporary-directory=${dirname(path)}`];
    const stages = [{ file: 'sort', args, env: ENVIRONMENT }];
    const { stdin, finished } = startPipeline({ stages, stdin: 'pipe', stdout: file.fd, signal });
    try {
      const sink = new PipeSink(stdin);
      const result = await fill(sink);
      await sink.end();
      return result;
    } finally {
      stdin.destroy();
      requireSorted(await finished, signal); // a sort that gave up says why, and `fill` only that it could not write
    }
  } finally {
    await file.close();
  }
}

/** The lines of sorted files, in order, a batch at a time. */
export async function* mergeLines(paths: readonly string[], signal: AbortSignal): AsyncGenerator<string[]> {
  const args = ['--merge', '--', ...paths];
  const { stdout, finished } = startPipeline({
    stages: [{ file: 'sort', args, env: ENVIRONMENT }],
    stdout: 'pipe',
    signal,
  });
  try {
    yield* splitAt('\n', stdout);
  } finally {
    stdout.destroy();
    requireSorted(await finished, signal);
  }
}

function requireSorted(results: StageResult[], signal: AbortSignal): void {
  throwIfAborted(signal);
  requireSuccess(results, 'sort the lists of a drill');
}

class PipeSink implements LineSink {
  #lines: string[] = [];
  #characters = 0;

  constructor(private readonly stdin: Writable) {}

  add(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length;
  }

  async flush(): Promise<void> {
    if (this.#characters >= FLUSH_CHARACTERS) await this.#write();
  }

  async end(): Promise<void> {
    await this.#write();
    if (!this.stdin.destroyed) await new Promise<void>((resolve) => this.stdin.end(resolve));
  }

  async #write(): Promise<void> {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#characters = 0;
    await writePiece(this.stdin, Buffer.from(text, 'latin1'));
  }
}
