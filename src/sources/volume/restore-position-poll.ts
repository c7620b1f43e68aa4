import { setTimeout as sleep } from 'node:timers/promises';
import { helperOutput } from '../docker/helper-container.js';

const INTERVAL_MS = 1000;

/** Tells how far into the artifact a restore is, as its script says once a second; returns what ends the looking. */
export function pollRestorePosition(id: string, onProgress: (bytesRead: number) => void): () => void {
  const ended = new AbortController();
  const look = async () => {
    let known = 0;
    for (;;) {
      await sleep(INTERVAL_MS, undefined, { signal: ended.signal });
      const position = lastPosition((await helperOutput(id)).stdout);
      if (ended.signal.aborted || !(position > known)) continue;
      known = position;
      onProgress(position);
    }
  };
  // The end of the looking, or an engine that is gone: whoever waits for the container learns of that.
  look().catch(() => undefined);
  return () => {
    ended.abort();
  };
}

/** The last position in what the script wrote; 0 where there is none. */
export function lastPosition(output: string): number {
  return Number(output.split('\n').at(-1));
}
