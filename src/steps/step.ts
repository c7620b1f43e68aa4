import type { Priority } from '../domain/priority.js';

/** What every step that moves bytes is given. */
export interface StepContext {
  /** Ends the step; it then rejects with whatever the interrupted part throws. */
  signal: AbortSignal;
  /** Told whenever bytes moved, with how many of the current phase are done: the sign of life that a stall is judged by. */
  onProgress: (bytesDone: number) => void;
  /** Told of bytes that are on their way, and may yet be refused: a sign of life too, but nothing that is done. */
  onUnderWay?: (bytes: number) => void;
  /** Told when a capture is written and its proof begins, whose bytes are counted from 0 again. */
  onProving?: () => void;
  /** Of the programs that it starts. Default: that of this process. */
  priority?: Priority;
  /** A line for the log of the run. */
  log: (line: string) => void;
}

/** Of a step that leaves behind what a later attempt goes on with. */
export interface ResumableStep extends StepContext {
  /** Whether it was ended because its run was cancelled, so that no attempt will go on with anything. */
  isCancelled: () => boolean;
}
