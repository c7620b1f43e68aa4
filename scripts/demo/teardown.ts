interface Task {
  what: string;
  undo: () => Promise<void>;
}

/** What has to be undone at the end, whatever happens before it. */
export class Teardown {
  /** What stays on this machine all the same, as ends of "Kept: …". */
  readonly kept: string[] = [];
  readonly #tasks: Task[] = [];

  /** `what` completes "cannot …" where it fails. */
  add(what: string, undo: () => Promise<void>): void {
    this.#tasks.push({ what, undo });
  }

  /** Undoes the newest first, each once. One that fails stops none of the others; returns what went wrong. */
  async run(): Promise<string[]> {
    const failures: string[] = [];
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task.undo();
      } catch (error) {
        failures.push(`cannot ${task.what}: because ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return failures;
  }
}
