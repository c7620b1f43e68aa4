import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serviceOf } from './leftovers.js';
import type { Deployment } from './deployment.js';
import { dockerLines } from './volume-attempt.js';
import { waitFor } from './wait-for.js';
import type { WatchedRun } from './watched-run.js';

const run = promisify(execFile);

/** Halts the helper container of a target once it has begun to write; returns the container's id. */
export async function pauseHelper(deployment: Deployment, { directory }: WatchedRun, target: string): Promise<string> {
  // Looked for before anything is written: between the first bytes and the last there is little time.
  const id = await waitFor(`the helper of ${target}`, async () => helperOf(deployment, target), { intervalMs: 5 });
  await waitFor(`the part of ${target} to grow`, () => partHasGrown(directory, target), { intervalMs: 5 });
  await run('docker', ['pause', id]);
  return id;
}

async function helperOf(deployment: Deployment, target: string): Promise<string | undefined> {
  const labels = { service: await serviceOf(deployment), target };
  const filters = Object.entries(labels).flatMap(([k, v]) => ['--filter', `label=backup-orchestrator.${k}=${v}`]);
  return (await dockerLines('ps', '--quiet', '--no-trunc', ...filters))[0];
}

async function partHasGrown(directory: string, target: string): Promise<boolean> {
  const isPart = (name: string) => name.startsWith(`${target}_`) && /\.tar\.gz\.[0-9a-f]+\.part$/.test(name);
  const part = (await readdir(directory)).find(isPart);
  return part !== undefined && (await stat(join(directory, part))).size > 0;
}
