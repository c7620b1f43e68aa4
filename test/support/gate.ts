import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Gate {
  /** The program that waits. */
  path: string;
  /** Lets it go on, now and later. */
  open(): Promise<void>;
}

export interface GateInput {
  /** The path of the program that it becomes. */
  real: string;
  /** Where the gate is made, under the program's own `name`. */
  directory: string;
  name: string;
}

/** Makes a program that reads nothing until it is told to go on: whoever writes to it is met at work. */
export async function gateBefore({ real, directory, name }: GateInput): Promise<Gate> {
  const path = join(directory, name);
  const opened = join(directory, `${name}.opened`);
  const wait = `[[ $1 == --version ]] || until [[ -e '${opened}' ]]; do sleep 0.02; done`;
  await writeFile(path, `#!/bin/bash\n${wait}\nexec '${real}' "$@"\n`);
  await chmod(path, 0o755);
  return { path, open: () => writeFile(opened, '') };
}
