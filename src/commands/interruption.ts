import type { CommandContext } from './context.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `work`, whose signal aborts at Ctrl-C, SIGTERM or a closed terminal: it cleans up and rejects, and only then the
 * command ends. Asking again changes nothing: half-removed things would stay.
 */
export async function untilInterrupted<T>(
  context: CommandContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const onSignal = () => {
    context.say(ending.signal.aborted ? 'still removing what was made' : 'ending, and removing what was made');
    ending.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await work(ending.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}
