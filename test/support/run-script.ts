import { spawn, spawnSync } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { once } from 'node:events';

const EMPTY_IMAGE = 'backup-tests/empty:1';

/** A directory of this machine, or the inside of a Docker volume. */
export type Place = { directory: string } | { volume: string };

/** Runs a bash script (`set -eu`) in a place and returns its stdout. Throws with its stderr where it fails. */
export async function runScript(place: Place, script: string): Promise<Buffer> {
  const [program, ...args] = 'directory' in place ? ['bash', '-s'] : volumeCommand(place.volume);
  const cwd = 'directory' in place ? place.directory : '/';
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { cwd, stdio: 'pipe' });
  child.stdin.on('error', () => undefined); // a shell that ended early says why on stderr
  child.stdin.end(`set -eu\n${script}`);
  const [stdout, stderr, end] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
  if (end[0] !== 0) throw new Error(`the script in ${JSON.stringify(place)} ended with ${String(end[0])}: ${stderr}`);
  return stdout;
}

/** Without root a volume cannot be looked into from here: then in a container with nothing but this machine's programs. */
function volumeCommand(volume: string): [string, ...string[]] {
  const place = ['-v', `${volume}:/volume`, '-w', '/volume', '--network', 'none', '--tmpfs', '/tmp'];
  return ['docker', 'run', '--rm', '-i', ...place, ...programsOfHost(), '/bin/bash', '-s'];
}

/** Options of `docker run` and the image of a container that has nothing but this machine's programs. */
export function programsOfHost(): string[] {
  ensureEmptyImage();
  const programs = ['/usr', '/bin', '/lib', '/lib64', '/etc'].flatMap((folder) => ['-v', `${folder}:${folder}:ro`]);
  return [...programs, EMPTY_IMAGE];
}

function ensureEmptyImage(): void {
  if (spawnSync('docker', ['image', 'inspect', EMPTY_IMAGE]).status === 0) return;
  const twoEmptyBlocks = Buffer.alloc(1024); // a tar archive of no files
  const made = spawnSync('docker', ['import', '-', EMPTY_IMAGE], { input: twoEmptyBlocks, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`cannot make the image ${EMPTY_IMAGE}: ${made.stderr}`);
}
