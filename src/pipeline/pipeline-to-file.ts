import { throwIfAborted } from './abort.js';
import { drainToFile } from './drain.js';
import { startPipeline, type Stage, type StageResult } from './process.js';

export interface PipelineToFileInput {
  /** In the order of the data; at least one. */
  stages: readonly Stage[];
  /** A file that is there; it is written from its start. */
  path: string;
  signal?: AbortSignal | undefined;
  /** Told after each piece, with all bytes written so far. */
  onProgress?: ((bytesDone: number) => void) | undefined;
  /** Whether the bytes are forced to the disk. Default: true. */
  durably?: boolean;
}

/**
 * Runs a pipeline into a file and makes that durable; how the stages ended is the caller's to judge. All of them are gone
 * when it settles. Errors: those of the disk, and the signal's reason.
 */
export async function pipelineToFile({
  stages,
  path,
  signal,
  onProgress,
  durably = true,
}: PipelineToFileInput): Promise<StageResult[]> {
  // A program that does not write at the moment would not notice that nobody reads it any more.
  const giveUp = new AbortController();
  const { stdout, finished } = startPipeline({
    stages,
    stdout: 'pipe',
    signal: signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]),
  });
  try {
    await drainToFile({ stdout, path, durably, ...(onProgress !== undefined && { onProgress }) });
  } catch (error) {
    giveUp.abort();
    await finished;
    throwIfAborted(signal);
    throw error;
  }
  const results = await finished;
  throwIfAborted(signal);
  return results;
}
