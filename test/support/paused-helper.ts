import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { serviceOf } from './leftovers.js';
import type { Deployment } from './deployment.js';
import { halt } from './process-tree.js';
import { dockerLines } from './volume-attempt.js';
import { waitFor } from './wait-for.js';
import type { WatchedRun } from './watched-run.js';

const run = promisify(execFile);

/** For a worker whose helpers get so little of a core that they are met at work. */
export async function slowHelperEnv({ directory }: Deployment): Promise<{ PATH: string }> {
  const programs = join(directory, 'slow');
  await mkdir(programs);
  const real = (await run('which', ['docker'])).stdout.trim();
  const lines = ['#!/bin/bash', `[[ $1 != create ]] || set -- create --cpus 0.05 "\${@:2}"`, `exec ${real} "$@"`];
  await writeFile(join(programs, 'docker'), lines.join('\n') + '\n');
  await chmod(join(programs, 'docker'), 0o755);
  return { PATH: [programs, process.env['PATH']].join(delimiter) };
}

/** Halts the helper container of a target, of a worker with `slowHelperEnv`, once it has begun to write; its id. */
export async function pauseHelper(deployment: Deployment, { directory }: WatchedRun, target: string): Promise<string> {
  const id = await waitFor(`the helper of ${target}`, () => helperOf(deployment, target));
  await waitFor(`the part of ${target} to grow`, () => partHasGrown(directory, target));
  // Not `docker pause`: the engine gives up freezing what hardly gets any time.
  await Promise.all((await dockerLines('top', id, '-o', 'pid')).slice(1).map((pid) => halt(Number(pid))));
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
