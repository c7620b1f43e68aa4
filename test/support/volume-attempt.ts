import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, open, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { findTools } from '../../src/pipeline/tools.js';
import type { VolumeCaptureInput } from '../../src/sources/volume/capture.js';
import { createVolume, removeVolume } from './docker-volume.js';
import { removeDirectory } from './scratch-directory.js';
import { waitFor } from './wait-for.js';

const run = promisify(execFile);

/** Runs the docker program and returns what it wrote, by lines. */
export async function dockerLines(...args: string[]): Promise<string[]> {
  const { stdout } = await run('docker', args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split('\n').filter((line) => line !== '');
}

/** A name that no other test has; the volume that may come to have it is removed after the test. */
export function volumeName(name: string): string {
  const unique = `test-${name}-${randomBytes(4).toString('hex')}`;
  onTestFinished(() => removeVolume(unique));
  return unique;
}

export async function filledVolume(name: string, script: string): Promise<string> {
  const volume = volumeName(name);
  await createVolume(volume, script);
  return volume;
}

/** A directory that is removed after the test. */
export async function testDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'volume-'));
  onTestFinished(() => removeDirectory(directory));
  return directory;
}

/** What a worker hands to one attempt at a volume, its part made; `service` is of no other test. */
export async function attemptAt(
  volume: string,
  changes: Partial<VolumeCaptureInput> = {},
): Promise<VolumeCaptureInput & { sizes: number[] }> {
  const attemptToken = randomBytes(6).toString('hex');
  const directory = changes.partPath === undefined ? await testDirectory() : undefined;
  const partPath =
    changes.partPath ?? join(directory ?? '', `files_volume_20261124_030000.tar.gz.${attemptToken}.part`);
  if (directory !== undefined) await createPart(partPath);
  const service = changes.service ?? `service-${randomBytes(4).toString('hex')}`;
  onTestFinished(() => removeContainersOf(service));
  const sizes: number[] = [];
  return {
    target: 'files',
    service,
    volumeName: volume,
    host: 'default',
    compression: 'gzip',
    level: 6,
    partPath,
    attemptToken,
    tools: await findTools(),
    signal: new AbortController().signal,
    onProgress: (sizeBytes) => sizes.push(sizeBytes),
    sizes,
    ...changes,
  };
}

export async function createPart(path: string): Promise<void> {
  await (await open(path, 'wx')).close();
  await chmod(path, 0o660);
}

/** Ids of all containers that belong to the service, running or not. */
export function containersOf(service: string): Promise<string[]> {
  return dockerLines(
    'ps',
    '--all',
    '--quiet',
    '--no-trunc',
    '--filter',
    `label=backup-orchestrator.service=${service}`,
  );
}

async function removeContainersOf(service: string): Promise<void> {
  const ids = await containersOf(service);
  if (ids.length > 0) await run('docker', ['rm', '--force', ...ids]);
}

/** Waits until the attempt's helper has begun to write (see `slowHelpers`); the container's id. */
export async function meetInMidWrite({ attemptToken, partPath }: VolumeCaptureFiles): Promise<string> {
  await waitFor('the part to grow', async () => (await stat(partPath)).size > 0);
  const label = `label=backup-orchestrator.attempt=${attemptToken}`;
  const [id] = await dockerLines('ps', '--quiet', '--no-trunc', '--filter', label);
  if (id === undefined) throw new Error('the helper ended before it was met');
  return id;
}

type VolumeCaptureFiles = Pick<VolumeCaptureInput, 'attemptToken' | 'partPath'>;

/** Files beside the part and the part itself: what an attempt leaves. */
export function filesBeside(partPath: string): Promise<string[]> {
  return readdir(join(partPath, '..'));
}
