import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { runScript, type Place } from './run-script.js';

const run = promisify(execFile);

/** Makes a Docker volume and fills it with a script of `volume-content.ts`, or one like those. */
export async function createVolume(name: string, script: string): Promise<void> {
  await run('docker', ['volume', 'create', '--', name]);
  await runScript(await insideVolume(name), script);
}

/** Nothing to do where there is none. */
export async function removeVolume(name: string): Promise<void> {
  await run('docker', ['volume', 'rm', '--force', '--', name]);
}

export async function volumeExists(name: string): Promise<boolean> {
  const { stdout } = await run('docker', ['volume', 'ls', '--quiet']);
  return stdout.split('\n').includes(name);
}

/** Where `walk` and `runScript` find a volume's files: the directory itself where this process may look into it. */
export async function insideVolume(name: string): Promise<Place> {
  const { stdout } = await run('docker', ['volume', 'inspect', '--format', '{{.Mountpoint}}', '--', name]);
  const directory = stdout.trimEnd();
  if (process.getuid?.() !== 0) return { volume: name };
  return access(directory).then(
    () => ({ directory }),
    () => ({ volume: name }), // the engine runs on another machine, or in a container beside this one
  );
}
