import { open, type FileHandle } from 'node:fs/promises';
import { naming } from '../destinations/local-errors.js';
import type { Priority } from '../domain/priority.js';
import { throwIfAborted } from './abort.js';
import { pollFileSize } from './file-size-poll.js';
import { startPipeline, type Stage, type StageResult } from './process.js';
import { succeeded } from './stage-result.js';

export interface PipelineToFileInput {
  /** In the order of the data; at least one. */
  stages: readonly Stage[];
  /** An empty file that is there. */
  path: string;
  signal?: AbortSignal | undefined;
  /** Told the size of the file, each second in which it grew, and at the end. */
  onProgress?: ((bytesDone: number) => void) | undefined;
  /** Whether the bytes are forced to the disk. Default: true. */
  durably?: boolean;
  /** Default: that of this process. */
  priority?: Priority | undefined;
}

/** More than any program writes at once: where that failed, this does. */
const PROBE_BYTES = 1024 * 1024;

/**
 * Runs a pipeline whose last program writes the file itself (through this process would take a tenth of the time more), and makes that
 * durable; how the stages ended, and whether the file is whole, is the caller's to judge. All of them are gone when it settles. Errors:
 * those of the disk, and the signal's reason.
 */
export async function pipelineToFile({
  stages,
  path,
  signal,
  onProgress,
  durably = true,
  priority,
}: PipelineToFileInput): Promise<StageResult[]> {
  return naming(`write ${path}`, async () => {
    const file = await open(path, 'r+');
    const endPoll = onProgress === undefined ? undefined : pollFileSize(path, onProgress);
    try {
      const results = await runInto(file, { stages, signal, priority });
      throwIfAborted(signal);
      if (!results.slice(-1).every(succeeded)) await requireRoom(file);
      if (durably) await file.sync();
      onProgress?.((await file.stat()).size);
      return results;
    } finally {
      endPoll?.();
      await file.close();
    }
  });
}

async function runInto(
  file: FileHandle,
  { stages, signal, priority }: Pick<PipelineToFileInput, 'stages' | 'signal' | 'priority'>,
): Promise<StageResult[]> {
  // A program that does not write at the moment would not notice that nobody reads it any more.
  const giveUp = new AbortController();
  const { finished, lastEnded } = startPipeline({
    stages,
    stdout: file.fd,
    priority,
    signal: signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]),
  });
  if (!succeeded(await lastEnded)) giveUp.abort();
  return finished;
}

/** Rejects where the disk takes no more: not every program says why it could not write. */
async function requireRoom(file: FileHandle): Promise<void> {
  const probe = Buffer.alloc(PROBE_BYTES);
  let position = (await file.stat()).size;
  for (const end = position + PROBE_BYTES; position < end;) {
    position += (await file.write(probe, 0, end - position, position)).bytesWritten;
  }
}
