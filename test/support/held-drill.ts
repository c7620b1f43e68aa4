import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeDocker } from './docker-wrapper.js';
import { testDirectory } from './volume-attempt.js';
import { waitFor } from './wait-for.js';

export interface HeldDrill {
  /** The scratch volume, once the drill has come there. */
  volume(): Promise<string>;
  letGo(): Promise<void>;
}

/** Holds the drills of this test between the restore and the look at what was restored. */
export function holdWalk(): Promise<HeldDrill> {
  const isWalk = '[[ "$*" = *--name\\ backup-orchestrator-walk-* ]]';
  return hold('create', `${isWalk} && grep -o 'source=backup-orchestrator-drill-[a-zA-Z0-9_-]*' <<<"$*"`);
}

/** Holds them where their restore runs, until they are let go, ended or aborted. */
export function holdRestore(): Promise<HeldDrill> {
  const mounts = '{{range .Mounts}}{{if eq .Type "volume"}}source={{.Name}}{{end}}{{end}}';
  return hold('wait', `"$real" inspect --format '${mounts}' "$2"`);
}

/** `volume` is a command that tells which one it is, and fails where the call of docker is another one. */
async function hold(command: string, volume: string): Promise<HeldDrill> {
  const directory = await testDirectory();
  const [reached, opened] = [join(directory, 'reached'), join(directory, 'opened')];
  const wait = `echo "$volume" >'${reached}'; until [[ -e '${opened}' ]]; do sleep 0.02; done`;
  await beforeDocker(command, `if volume=$(${volume}); then ${wait}; fi`);
  return {
    volume: () =>
      waitFor('a drill to come there', async () => {
        const told = await readFile(reached, 'utf8').catch(() => '');
        return /^source=(.*)$/m.exec(told)?.[1];
      }),
    letGo: () => writeFile(opened, ''),
  };
}
