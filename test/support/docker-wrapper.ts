import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished, vi } from 'vitest';
import { testDirectory } from './volume-attempt.js';

const run = promisify(execFile);

/**
 * Puts a `docker` before the real one, for this test, that first runs a bash script where its arguments begin with
 * `command`: `$real` is the real program, `set --` changes the arguments.
 */
export async function beforeDocker(command: string, script: string): Promise<void> {
  const directory = await testDirectory();
  const real = (await run('which', ['docker'])).stdout.trim();
  const lines = [
    '#!/bin/bash',
    `real=${real}`,
    `if [[ "$* " = "${command} "* ]]; then ${script}; fi`,
    'exec "$real" "$@"',
  ];
  await writeFile(join(directory, 'docker'), lines.join('\n') + '\n');
  await chmod(join(directory, 'docker'), 0o755);
  stubEnvironment('PATH', `${directory}:${process.env['PATH'] ?? ''}`);
}

/** Writes down what `docker` is asked from now on that begins with one of these words; returns what reads it. */
export async function recordDocker(...commands: string[]): Promise<() => Promise<string[]>> {
  const record = join(await testDirectory(), 'asked');
  await writeFile(record, '');
  for (const command of commands) await beforeDocker(command, `echo "$*" >>${record}`);
  return async () => (await readFile(record, 'utf8')).split('\n').filter((line) => line !== '');
}

/** Gives helpers of this test so little of a core that a test has the time to meet them at work. */
export function slowHelpers(cores = 0.05): Promise<void> {
  return beforeDocker('create', `shift; set -- create --cpus ${String(cores)} "$@"`);
}

/** Lets a slow helper go on as fast as it can. */
export async function letGo(id: string): Promise<void> {
  await run('docker', ['update', '--cpus', '2', id]);
}

/** Sets a variable of this process' environment until the test has ended. */
export function stubEnvironment(name: string, value: string): void {
  vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}
