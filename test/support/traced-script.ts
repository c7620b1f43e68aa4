import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundledScript } from './bundled-script.js';

/** What changes a directory, or makes that durable. */
const CALLS = 'mkdir,openat,write,pwrite64,fsync,fdatasync,link,linkat,unlink,unlinkat,rename,renameat,rmdir,chmod';

export interface TracedScript {
  /** Of `test/fixtures`. */
  script: string;
  input: unknown;
  /** Only calls that concern these very paths are seen; their number is then the same each time. */
  paths: readonly string[];
  /** In strace's words: `link:error=EPERM`. */
  injections?: readonly string[];
}

/** A call of the script on one of the paths; as strace counts, the `occurrence`th of its kind, from 1. */
export interface TracedCall {
  name: string;
  occurrence: number;
  text: string;
}

export interface TracedEnd {
  signal: string | null;
  code: number | null;
  calls: TracedCall[];
  stdout: string;
  stderr: string;
}

/** Runs a script to its end under strace, with one thread for files so that its calls have one order. */
export async function runTraced(options: TracedScript): Promise<TracedEnd> {
  const directory = await mkdtemp(join(tmpdir(), 'traced-'));
  const trace = join(directory, 'trace');
  const { script, input, paths, injections = [] } = options;
  const program = join(directory, 'script.mjs');
  await writeFile(program, await bundledScript(join('test/fixtures', script)));
  const filters = [`trace=${CALLS}`, ...injections.map((injection) => `inject=${injection}`)].flatMap((e) => ['-e', e]);
  const child = spawn(
    'strace',
    [
      ...['-f', '-qq', '-y', '-o', trace, ...filters, ...paths.flatMap((path) => ['-P', path])],
      ...[process.execPath, program, JSON.stringify(input)],
    ],
    { env: { ...process.env, UV_THREADPOOL_SIZE: '1' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const [code, signal] = end as [number | null, string | null];
  const calls = callsIn(await readFile(trace, 'utf8'));
  await rm(directory, { recursive: true });
  return { signal, code, calls, stdout, stderr };
}

/** What kills the script as it enters a call: the call is not executed any more. */
export function killAt({ name, occurrence }: TracedCall): string {
  return `${name}:signal=SIGKILL:when=${String(occurrence)}`;
}

function callsIn(trace: string): TracedCall[] {
  const seen = new Map<string, number>();
  return [...trace.matchAll(/^\d+ +((\w+)\(.*)$/gm)].map(([, call = '', name = '']) => {
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    return { name, occurrence, text: call };
  });
}
