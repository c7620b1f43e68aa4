import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeDirectory } from './scratch-directory.js';

const run = promisify(execFile);

/** The process that made a stack stands in its name: where that is dead, the stack is for anybody to remove. */
const NAME = /^backup-test-(\d+)-[0-9a-f]+$/;
const PROJECT_LABEL = 'com.docker.compose.project';

export function stackName(random: string): string {
  return `backup-test-${String(process.pid)}-${random}`;
}

/** Of the project that a test adds to a stack, for the worker of another machine. */
export function hostProject(name: string): string {
  return `${name}-host`;
}

/** Takes a stack down: containers, volumes, networks, image, directory. By its name alone, so also one that is half made. */
export async function removeStack(name: string): Promise<void> {
  await removeProject(hostProject(name)); // it is on the network of the other
  await removeProject(name);
  const image = `backup-orchestrator:${name}`;
  if ((await lines('images', '--quiet', image)).length > 0) await run('docker', ['image', 'rm', '--force', image]);
}

/** Its containers, volumes, networks and directory. */
export async function removeProject(name: string): Promise<void> {
  const filter = ['--filter', `label=${PROJECT_LABEL}=${name}`];
  const remove = async (command: string[], found: string[]) => {
    if (found.length > 0) await run('docker', [...command, ...found]);
  };
  await remove(['rm', '--force', '--volumes'], await lines('ps', '--all', '--quiet', ...filter));
  const volumes = await lines('volume', 'ls', '--quiet', ...filter);
  // Helpers of the stack's worker are no part of its project.
  const helpers = volumes.map((volume) => lines('ps', '--all', '--quiet', '--filter', `volume=${volume}`));
  await remove(['rm', '--force', '--volumes'], (await Promise.all(helpers)).flat());
  await remove(['volume', 'rm', '--force'], volumes);
  await remove(['network', 'rm'], await lines('network', 'ls', '--quiet', ...filter));
  await removeDirectory(join(tmpdir(), name));
}

/** Those of test runs that were killed: what restarts by itself would come back with the engine. */
export async function removeDeadStacks(): Promise<void> {
  const label = `{{.Label "${PROJECT_LABEL}"}}`;
  const found = await Promise.all([
    lines('ps', '--all', '--format', label),
    lines('volume', 'ls', '--format', label),
    lines('images', '--format', '{{.Tag}}', 'backup-orchestrator'),
    readdir(tmpdir()),
  ]);
  for (const name of new Set(found.flat())) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await removeStack(name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function lines(...args: string[]): Promise<string[]> {
  const { stdout } = await run('docker', args);
  return stdout.split('\n').filter((line) => line !== '');
}
