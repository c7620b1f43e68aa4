import type { Restored } from '../domain/restore-plan.js';

interface Kept {
  into: string;
  keptAs: string;
}

type KeptCommands = NonNullable<Restored['keptCommands']>;

/** Names of volumes are plain words. */
export function volumeCommands({ into, keptAs }: Kept): KeptCommands {
  const copy = "sh -c 'find /to -mindepth 1 -delete && cp -a /from/. /to/'";
  return {
    remove: `docker volume rm ${keptAs}`,
    // The engine would make an empty volume of a name that is gone, and that would be copied.
    goBack: `docker volume inspect ${keptAs} >/dev/null && docker run --rm -v ${keptAs}:/from:ro -v ${into}:/to debian ${copy}   (while nothing uses it)`,
  };
}

export function directoryCommands({ into, keptAs }: Kept): KeptCommands {
  const [now, before, aside] = [shellWord(into), shellWord(keptAs), shellWord(`${into}.restored`)];
  return { remove: `rm -rf -- ${before}`, goBack: `mv -T -- ${now} ${aside} && mv -T -- ${before} ${now}` };
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
