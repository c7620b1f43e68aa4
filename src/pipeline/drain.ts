import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { naming } from '../destinations/local-errors.js';

export interface DrainInput {
  /** The output of a pipeline. */
  stdout: Readable;
  /** A file that is there; it is written from its start. */
  path: string;
  /** Told after each piece, with all bytes written so far. */
  onProgress?: (bytesDone: number) => void;
  /** Default: true. */
  durably?: boolean;
}

/**
 * Writes a pipeline's output to a file and makes it durable. That it resolves proves nothing: the output also ends when a
 * process is killed. A full disk is DiskFull; the output is destroyed then, so that the pipeline ends.
 */
export async function drainToFile({ stdout, path, onProgress, durably = true }: DrainInput): Promise<void> {
  // Node throws away what a child wrote that ends before anybody listens, as it may while the file is being opened.
  stdout.on('readable', () => undefined);
  await naming(`write ${path}`, async () => {
    const file = await open(path, 'r+');
    try {
      let bytesDone = 0;
      for await (const chunk of stdout as AsyncIterable<Buffer>) {
        await file.writeFile(chunk); // goes on where the last one ended, and writes all of it: `write` may write less
        bytesDone += chunk.length;
        onProgress?.(bytesDone);
      }
      if (durably) await file.sync();
    } finally {
      await file.close();
    }
  });
}
