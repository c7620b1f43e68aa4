import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { recordDirectory, type QuiesceRecord } from '../../src/sources/quiesce/record.js';
import { inspectContainer, nameOf, recordOf, type InspectedContainer } from '../../src/sources/quiesce/container.js';
import { programsOfHost } from './run-script.js';
import type { OwnTest } from './own-parts.js';

const run = promisify(execFile);

/** Ends at once when it is asked to. */
const SERVES = `trap 'exit 0' TERM; while :; do sleep 60 & wait $!; done`;

/** Starts a container that runs until it is stopped, removed after the test; its name. `options` are those of `docker run`. */
export async function ownContainer(
  { onTestFinished }: OwnTest,
  options: readonly string[] = [],
  script = SERVES,
): Promise<string> {
  const name = `test-${randomBytes(6).toString('hex')}`;
  onTestFinished(async () => {
    await run('docker', ['rm', '--force', '--volumes', name]).catch(() => undefined); // it may be gone
  });
  const common = ['--detach', '--network', 'none', '--name', name];
  await run('docker', ['run', ...common, ...options, ...programsOfHost(), '/bin/bash', '-c', script]);
  return name;
}

export async function docker(...args: string[]): Promise<void> {
  await run('docker', args);
}

export async function inspected(name: string): Promise<InspectedContainer> {
  const found = await inspectContainer(name);
  if (found === undefined) throw new Error(`there is no container ${name}`);
  return found;
}

/** `running`, `exited`, `paused`, … of each. */
export async function statusOf(...names: string[]): Promise<string[]> {
  return Promise.all(names.map(async (name) => (await inspected(name)).State.Status));
}

/** A record as a capture of these containers writes it, for `writeLostRecord`. */
export async function aRecord(names: string[], changes: Partial<QuiesceRecord> = {}): Promise<QuiesceRecord> {
  const containers = await Promise.all(names.map(inspected));
  return {
    format: 'quiesced/1',
    target: 'files',
    run: '20261124_030000',
    how: 'stop',
    claimed: containers.map((each) => ({ id: each.Id, name: nameOf(each) })),
    containers: containers.map(recordOf),
    at: new Date().toISOString(),
    until: new Date(Date.now() + 3_600_000).toISOString(),
    bootId: 'another',
    ...changes,
  };
}

/** Leaves a record, or other text, that no process answers for. */
export async function writeLostRecord(root: string, record: QuiesceRecord | string): Promise<string> {
  await mkdir(recordDirectory(root), { recursive: true });
  const path = join(recordDirectory(root), `${randomBytes(6).toString('hex')}.json`);
  await writeFile(path, typeof record === 'string' ? record : JSON.stringify(record));
  return path;
}
