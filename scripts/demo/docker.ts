import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LABEL } from '../../src/sources/docker/helper-labels.js';

const run = promisify(execFile);

export async function dockerAnswers(): Promise<boolean> {
  return run('docker', ['version', '--format', '{{.Server.Version}}']).then(
    () => true,
    () => false,
  );
}

/** Removes the volumes, and before them every container that uses one or works for the service. */
export async function removeFromDocker(volumes: readonly string[], service: string): Promise<void> {
  const users = volumes.map((volume) => containersWith(`volume=${volume}`));
  const found = await Promise.all([containersWith(`label=${LABEL.service}=${service}`), ...users]);
  const ids = [...new Set(found.flat())];
  if (ids.length > 0) await run('docker', ['rm', '--force', '--volumes', ...ids]);
  await run('docker', ['volume', 'rm', '--force', '--', ...volumes]);
}

async function containersWith(filter: string): Promise<string[]> {
  const { stdout } = await run('docker', ['ps', '--all', '--quiet', '--no-trunc', '--filter', filter]);
  return stdout.split('\n').filter((id) => id !== '');
}
