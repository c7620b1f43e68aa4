import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shell } from '../measure.js';
import type { Stage } from '../stage.js';

/** A directory with one file that nothing compresses: as a mounted volume its artifact is as large. */
export async function noiseDirectory({ directory, say }: Stage, name: string, megabytes: number): Promise<string> {
  const made = join(directory, name);
  say(`making ${String(megabytes)} MB of noise`);
  await mkdir(made);
  await shell(`head -c ${String(megabytes)}MB /dev/urandom > noise`, {}, made);
  return made;
}
