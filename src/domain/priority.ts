/** How much of the host the programs of a capture may claim beside everything else. */
export interface Priority {
  /** 0 to 19: the less, the higher; lower ones than 0 would need rights. */
  nice: number;
  /** `idle`, or the level 0 to 7 of `best-effort`. Absent: as the system has it. */
  ionice?: 'idle' | number;
}

/** The words that a program is started by, none where it runs as usual. */
export function priorityWords({ nice, ionice }: Priority): string[] {
  const ofDisk = ionice === 'idle' ? ['-c', '3'] : ['-c', '2', '-n', String(ionice)];
  return [...(nice > 0 ? ['nice', '-n', String(nice)] : []), ...(ionice === undefined ? [] : ['ionice', ...ofDisk])];
}

/** The programs among those words. */
export function priorityPrograms({ nice, ionice }: Priority): string[] {
  return [...(nice > 0 ? ['nice'] : []), ...(ionice === undefined ? [] : ['ionice'])];
}

/** What a nice value weighs beside 1024, the usual: each step is a quarter less, as the kernel has it. */
export function cpuShares({ nice }: Priority): number {
  return Math.max(2, Math.round(1024 / 1.25 ** nice));
}
