import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from './wait-for.js';

const CLIENT = fileURLToPath(new URL('../../dist/client.js', import.meta.url));

export interface Terminal {
  /** Presses keys; `\x03` is Ctrl-C. */
  type: (keys: string) => void;
  /** Waits until it was on the screen. */
  shows: (text: string | RegExp) => Promise<unknown>;
  ended: Promise<{ code: number | null; screen: string }>;
}

/** `backupctl` at a terminal of its own, made by util-linux' `script`. */
export function backupctlAtTerminal(
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
  { columns = 100, rows = 30 } = {},
): Terminal {
  const size = `stty columns ${columns} rows ${rows}`; // `script` has no terminal itself that it could take it from
  const command = `${size}; exec ${[process.execPath, CLIENT, ...args].map((word) => `'${word}'`).join(' ')}`;
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'script', '-q', '-e', '-c', command, '/dev/null'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text));
  return {
    type: (keys) => child.stdin.write(keys),
    shows: (text) =>
      waitFor(`the terminal to show ${String(text)}`, () => {
        if (typeof text === 'string' ? screen.includes(text) : text.test(screen)) return true;
        throw new Error(screen.slice(-2000));
      }),
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, screen })),
  };
}
