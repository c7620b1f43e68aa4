import { stat } from 'node:fs/promises';

const INTERVAL_MS = 1000;

/** Tells the size of the file whenever a look at it finds it grown; returns what ends the looking. */
export function pollFileSize(
  path: string,
  onGrowth: (sizeBytes: number) => void,
  intervalMs = INTERVAL_MS,
): () => void {
  let known = 0;
  const look = async () => {
    const { size } = await stat(path);
    if (size <= known) return;
    known = size;
    onGrowth(size);
  };
  // A file that cannot be looked at does not grow: what is wrong with it shows where it is read.
  const timer = setInterval(() => void look().catch(() => undefined), intervalMs);
  return () => {
    clearInterval(timer);
  };
}
