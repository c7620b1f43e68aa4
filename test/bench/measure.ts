import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs each in turn, over and over, so that what else the machine does reaches all of them alike; returns seconds, or what they return. */
export async function alternate<Name extends string>(
  rounds: number,
  runs: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(runs) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples[name].push(await runs[name]());
  }
  return samples;
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Seconds that a line of bash takes; throws where any program of it fails. It dies with this process. */
export function shellSeconds(line: string, env: Record<string, string> = {}, cwd?: string): Promise<number> {
  return seconds(() => shell(line, env, cwd));
}

/** What the line prints. */
export async function shell(line: string, env: Record<string, string> = {}, cwd?: string): Promise<string> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'bash', '-c', `set -euo pipefail; ${line}`], {
    env: { ...process.env, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${line} ended with ${String(code)}: ${stderr.slice(-2000)}`);
  return stdout;
}

/** Whether a program is to be found in PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  return (await shell(`type -P ${program} || true`)) !== '';
}
