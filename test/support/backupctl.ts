import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CLIENT = fileURLToPath(new URL('../../dist/client.js', import.meta.url));

export interface CommandInput {
  args: readonly string[];
  env: Record<string, string>;
  cwd: string;
}

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Of stdout. */
  json: unknown;
}

export interface RunningCommand {
  child: ChildProcess;
  /** What it printed so far. */
  output: { stdout: string; stderr: string };
  ended: Promise<CommandResult>;
}

export function runBackupctl(input: CommandInput): Promise<CommandResult> {
  return startBackupctl(input).ended;
}

/** `backupctl` as the build made it, dying with the tests. */
export function startBackupctl({ args, env, cwd }: CommandInput): RunningCommand {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, CLIENT, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    ...output,
    get json(): unknown {
      return JSON.parse(output.stdout) as unknown;
    },
  }));
  return { child, output, ended };
}
