import { setTimeout as delay } from 'node:timers/promises';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Aborted by Ctrl-C, SIGTERM, or the end of the terminal. Further ones change nothing: what was started has to be ended. */
export function listenForInterrupts(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      controller.abort();
    });
  }
  return controller.signal;
}

export async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await delay(LONGEST_TIMER_MS, undefined, { signal }).catch(() => undefined);
}
