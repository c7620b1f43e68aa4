import { open } from 'node:fs/promises';
import { naming } from '../destinations/local-errors.js';
import { throwIfAborted } from './abort.js';
import { pollFileSize } from './file-size-poll.js';
import type { PipelineToFileInput } from './pipeline-to-file.js';
import { startPipeline, type StageResult } from './process.js';
import { succeeded } from './stage-result.js';

const NO_SPACE = /No space left on device|Disk quota exceeded/;

/**
 * Like `pipelineToFile`, with the file as the last program's own output, in which it may go back. Whether all of it was written, that
 * program has to say: what it wrote is to be proved.
 */
export async function programToFile({ stages, path, signal, onProgress }: PipelineToFileInput): Promise<StageResult[]> {
  return naming(`write ${path}`, async () => {
    const file = await open(path, 'r+');
    const endPoll = onProgress === undefined ? undefined : pollFileSize(path, onProgress);
    try {
      const abortable = signal === undefined ? {} : { signal };
      const results = await startPipeline({ stages, stdout: file.fd, ...abortable }).finished;
      throwIfAborted(signal);
      const full = results.find((result) => !succeeded(result) && NO_SPACE.test(result.stderr));
      if (full !== undefined) throw Object.assign(new Error(full.stderr), { code: 'ENOSPC' });
      await file.sync();
      onProgress?.((await file.stat()).size);
      return results;
    } finally {
      endPoll?.();
      await file.close();
    }
  });
}
