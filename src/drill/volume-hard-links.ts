import { createReadStream } from 'node:fs';
import { sortLines } from './sorted-lines.js';
import { splitAt } from './split.js';
import { ANY_ENTRY, lineOf } from './volume-facts.js';

/** `path` is one of the names of a file; `group` is the same for all of them. Both without tabs. */
export function pairLine(group: string, path: string): string {
  return `${group}\t${path}\n`;
}

/** From sorted pairs: to each path but the first of its group that first one, as sorted facts in a file whose path is returned. */
export async function linkFacts(pairs: string, signal: AbortSignal): Promise<string> {
  const path = `${pairs}-named`;
  const linkFact = (of: string, value: string) => lineOf({ path: of, ordinal: ANY_ENTRY, key: 'link', value });
  await sortLines({ path, signal }, async (sink) => {
    let group = '';
    let first = '';
    let last = '';
    for await (const lines of splitAt('\n', createReadStream(pairs))) {
      for (const line of lines) {
        const [its = '', name = ''] = line.split('\t');
        if (its !== group) [group, first] = [its, name];
        if (name !== first && name !== last) sink.add(linkFact(name, first));
        last = name;
      }
      await sink.flush();
    }
  });
  return path;
}
