/** What every step that moves bytes is given. */
export interface StepContext {
  /** Ends the step; it then rejects with whatever the interrupted part throws. */
  signal: AbortSignal;
  /** Told whenever bytes moved, with how many of the current phase are done: the sign of life that a stall is judged by. */
  onProgress: (bytesDone: number) => void;
  /** A line for the log of the run. */
  log: (line: string) => void;
}
