import { createInterface } from 'node:readline';
import { startBackupctl } from '../../test/support/backupctl.js';

export interface BackupctlInput {
  args: readonly string[];
  configFile: string;
  /** Kills it. */
  signal: AbortSignal;
  /** Told each line of its output as it comes. */
  line: (text: string) => void;
}

/** Runs a command as a user does; throws where it ends with another code than 0. */
export async function backupctl({ args, configFile, signal, line }: BackupctlInput): Promise<void> {
  signal.throwIfAborted();
  line(`$ backupctl ${args.join(' ')}`);
  const { child, ended } = startBackupctl({ args, env: { BACKUPS_FILE: configFile }, cwd: process.cwd() });
  const show = (text: string) => {
    if (!signal.aborted) line(text);
  };
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on('line', show);
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  const { code } = await ended;
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  if (code !== 0) throw new Error(`\`backupctl ${args.join(' ')}\` ended with code ${String(code)}; it says why above`);
}
