import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isPart } from '../domain/names.js';
import type { SweepInput } from './destination.js';
import { listFiles } from './local-list.js';

/** Removes the parts that nobody has written to for long; what a run left that never went on would else stay for ever. */
export async function sweepParts(root: string, { isOurs, olderThanMs, now }: SweepInput): Promise<number> {
  let count = 0;
  for (const { path } of await listFiles(root)) {
    const part = path.split('/').slice(0, 2).join('/'); // of a dump by jobs it is a directory
    if (!isPart(part) || !isOurs(part)) continue;
    const file = join(root, part);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || now.getTime() - found.mtimeMs <= olderThanMs) continue;
    await rm(file, { recursive: true, force: true });
    count += 1;
  }
  return count;
}
