import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface ShellBlock {
  /** The headings that it stands under, from the second level on: `Databases > One table`. */
  heading: string;
  script: string;
}

const FENCE = '```';

/** The fenced shell blocks of a Markdown document, in order. Throws where another kind of block is in it, which nobody could run. */
export function readShellBlocks(markdown: string): ShellBlock[] {
  const blocks: ShellBlock[] = [];
  let headings: string[] = [];
  let script: string[] | undefined;
  for (const line of markdown.split('\n')) {
    if (line.trimStart().startsWith(FENCE)) {
      if (script !== undefined) blocks.push({ heading: headings.join(' > '), script: script.join('\n') });
      else if (line !== `${FENCE}sh`) throw new Error(`a block that is no shell: ${line}`);
      script = script === undefined ? [] : undefined;
    } else if (script !== undefined) script.push(line);
    else {
      const [, level = '', title = ''] = /^(##+) (.*)$/.exec(line) ?? [];
      if (level !== '') headings = [...headings.slice(0, level.length - 2), title];
    }
  }
  if (script !== undefined) throw new Error('the last block has no end');
  return blocks;
}

/** Names of the variables that a block sets for all that follow. */
export function exportedNames({ script }: ShellBlock): string[] {
  const exports = script.split('\n').filter((line) => line.startsWith('export '));
  return exports.flatMap((line) =>
    [...line.replace(/ #.*/, '').matchAll(/ ([A-Z_0-9]+)=/g)].map(([, name = '']) => name),
  );
}

export interface Surroundings {
  cwd: string;
  env: Record<string, string | undefined>;
}

/** Runs a block by `bash -euo pipefail` and returns its stdout. Throws with all that it wrote where it fails. */
export async function runBlock({ heading, script }: ShellBlock, { cwd, env }: Surroundings): Promise<string> {
  const args = ['--pdeathsig', 'KILL', 'bash', '-euo', 'pipefail', '-c', script];
  const child = spawn('setpriv', args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code === 0) return stdout;
  throw new Error(`"${heading}" ended with ${String(code)}:\n${script}\n--- wrote\n${stdout}${stderr}`);
}
