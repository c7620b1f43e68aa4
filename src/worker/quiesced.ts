import { recoverQuiesced } from '../sources/quiesce/recovery.js';
import type { Log } from './log.js';

/** One readdir each, where nothing is down. */
const LOOK_MS = 10_000;

export interface QuiescedWatch {
  /** Resolves when the look that goes on has ended. */
  stop(): Promise<void>;
}

/**
 * Brings back what captures of dead processes left down: once before it resolves, then again and again. It needs no Temporal server:
 * containers come back although that is away.
 */
export async function watchQuiesced(root: string, log: Log): Promise<QuiescedWatch> {
  const tell = { info: (line: string) => log.info(line), error: (line: string) => log.error(line) };
  let look = recoverQuiesced({ root, ...tell });
  await look;
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look = recoverQuiesced({ root, ...tell }).finally(() => (isLooking = false));
  }, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      return look;
    },
  };
}
