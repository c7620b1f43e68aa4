import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeDocker } from './docker-wrapper.js';
import { testDirectory } from './volume-attempt.js';
import { waitFor } from './wait-for.js';

export interface HeldWalk {
  /** The scratch volume, once all is restored into it. */
  volume(): Promise<string>;
  letGo(): Promise<void>;
}

/** Holds the drills of this test between the restore and the look at what was restored. */
export async function holdWalk(): Promise<HeldWalk> {
  const directory = await testDirectory();
  const [reached, opened] = [join(directory, 'reached'), join(directory, 'opened')];
  const wait = `echo "$*" >'${reached}'; until [[ -e '${opened}' ]]; do sleep 0.02; done`;
  await beforeDocker('create', `if [[ "$*" = *--name\\ backup-orchestrator-walk-* ]]; then ${wait}; fi`);
  return {
    volume: () =>
      waitFor('a restored volume', async () => {
        const asked = await readFile(reached, 'utf8').catch(() => '');
        return /\bsource=(backup-orchestrator-drill-[\w-]+)/.exec(asked)?.[1];
      }),
    letGo: () => writeFile(opened, ''),
  };
}
