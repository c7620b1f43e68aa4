import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { BackupError } from '../domain/errors.js';
import { BGZF_END, BGZF_MARK } from './bgzf.js';
import { writePiece } from './feed.js';
import { requireSuccess, startPipeline, type Pipeline, type Program } from './process.js';

export interface MembersInput {
  /** It is written from where it is. */
  file: FileHandle;
  /** Of the bytes that are written; what is appended was compressed by it too. */
  compressor: Program;
  signal?: AbortSignal | undefined;
  /** Told after each piece, with all bytes written so far. */
  onProgress?: ((bytesDone: number) => void) | undefined;
}

type Compressing = Pipeline<{ stages: []; stdin: 'pipe'; stdout: 'pipe' }>;

/**
 * One compressed file of several compressed ones: gzip members and zstd frames that follow each other are read as one. bgzip's end mark
 * stands at the end alone, as its format has it.
 */
export class Members {
  private bytesDone = 0;
  private isBgzf = false;
  private current: { pipeline: Compressing; written: Promise<void> } | undefined;

  constructor(private readonly input: MembersInput) {}

  /** Compresses what is not compressed yet. */
  async write(piece: Buffer): Promise<void> {
    if (piece.length === 0) return;
    this.current ??= this.start();
    try {
      await writePiece(this.current.pipeline.stdin, piece);
    } catch (error) {
      await this.finish(); // where the compressor or the disk says why
      throw error;
    }
  }

  /** Appends a file as it is. */
  async append(path: string): Promise<void> {
    await this.finish();
    const part = await open(path, 'r');
    try {
      await this.take(part.createReadStream({ autoClose: false }));
    } finally {
      await part.close();
    }
  }

  async end(): Promise<void> {
    await this.finish();
    if (this.isBgzf) await this.put(BGZF_END);
  }

  private start() {
    const { compressor, signal } = this.input;
    const pipeline = startPipeline({
      stages: [compressor],
      stdin: 'pipe',
      stdout: 'pipe',
      ...(signal !== undefined && { signal }),
    });
    const written = this.take(pipeline.stdout);
    written.catch(() => pipeline.stdin.destroy());
    return { pipeline, written };
  }

  private async finish(): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    this.current = undefined;
    current.pipeline.stdin.end();
    const results = await current.pipeline.finished;
    await current.written;
    requireSuccess(results, 'compress');
  }

  /** All of a compressed stream but bgzip's end mark. */
  private async take(stream: Readable): Promise<void> {
    let held = Buffer.alloc(0);
    let isFirst = true;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([held, chunk]);
      if (isFirst && bytes.length < BGZF_END.length) {
        held = bytes;
        continue;
      }
      if (isFirst) this.isBgzf = isBgzf(bytes);
      isFirst = false;
      const end = this.isBgzf ? bytes.length - BGZF_END.length : bytes.length;
      await this.put(bytes.subarray(0, end));
      held = bytes.subarray(end);
    }
    if (!this.isBgzf) await this.put(held);
    else if (!held.equals(BGZF_END)) throw new BackupError('Damaged', 'cannot put parts together: because one is cut');
  }

  private async put(bytes: Buffer): Promise<void> {
    await this.input.file.writeFile(bytes);
    this.bytesDone += bytes.length;
    this.input.onProgress?.(this.bytesDone);
  }
}

function isBgzf(bytes: Buffer): boolean {
  return bytes.subarray(BGZF_MARK.offset, BGZF_MARK.offset + BGZF_MARK.bytes.length).equals(BGZF_MARK.bytes);
}
