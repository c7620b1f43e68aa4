/** How long processes may take to end after SIGTERM. */
const GRACE_MS = 2000;

export interface GroupLeader {
  pid?: number | undefined;
  exitCode: number | null;
  signalCode: NodeJS.Signals | null;
}

/** Asks the leaders' groups to end and kills what is left after a short grace; returns what calls the killing off. */
export function endGroups(leaders: readonly GroupLeader[]): () => void {
  signalGroups(leaders, 'SIGTERM');
  const timer = setTimeout(() => {
    signalGroups(leaders, 'SIGKILL');
  }, GRACE_MS);
  return () => {
    clearTimeout(timer);
  };
}

function signalGroups(leaders: readonly GroupLeader[], signal: NodeJS.Signals): void {
  for (const { pid, exitCode, signalCode } of leaders) {
    // A leader that was reaped has given its id back: it may be another's by now.
    if (pid === undefined || exitCode !== null || signalCode !== null) continue;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
