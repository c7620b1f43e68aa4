/** A dump by several jobs is not to be had here, while a serial one may be. */
export class UnfitForJobs extends Error {
  constructor(
    /** Completes `because`. */
    readonly reason: string,
    cause?: unknown,
  ) {
    super(`cannot dump by several jobs: because ${reason}`, { cause });
  }
}

const UNFIT: readonly { pattern: RegExp; reason: string }[] = [
  {
    pattern: /could not obtain lock on relation/,
    reason: 'another session waits for an exclusive lock on a table, for which one job must not wait',
  },
  {
    pattern: /too many connections|too many clients|remaining connection slots/,
    reason: 'the server has no connection left for each job',
  },
  {
    pattern: /invalid snapshot identifier|could not import the requested snapshot|cannot export a snapshot/,
    reason: 'the connections of the jobs cannot share a snapshot',
  },
];

/** Where what pg_dump says is about its jobs. */
export function unfitBy(stderr: string): UnfitForJobs | undefined {
  const unfit = UNFIT.find(({ pattern }) => pattern.test(stderr));
  return unfit === undefined ? undefined : new UnfitForJobs(unfit.reason);
}
