import { mkdir, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { findTools } from '../../src/pipeline/tools.js';
import type { MountedCaptureInput } from '../../src/sources/directory/capture.js';
import { gateBefore, type Gate } from './gate.js';
import { processesUnder } from './process-tree.js';
import { runScript } from './run-script.js';
import { testDirectory } from './volume-attempt.js';
import { waitFor } from './wait-for.js';

/** A directory that is removed after the test, filled by a script of `volume-content.ts` or one like those. */
export async function filledDirectory(script: string): Promise<string> {
  const path = join(await testDirectory(), 'uploads');
  await mkdir(path);
  await runScript({ directory: path }, script);
  return path;
}

/** What a worker hands to one attempt at a mounted volume, its part made. */
export async function mountedAttempt(
  path: string,
  changes: Partial<MountedCaptureInput> = {},
): Promise<MountedCaptureInput & { sizes: number[] }> {
  const partPath = changes.partPath ?? join(await testDirectory(), 'uploads_volume_20261124_030000.tar.gz.token.part');
  if (changes.partPath === undefined) await (await open(partPath, 'wx', 0o600)).close();
  const sizes: number[] = [];
  return {
    target: 'uploads',
    path,
    host: 'default',
    compression: 'gzip',
    level: 6,
    partPath,
    tools: await findTools(),
    signal: new AbortController().signal,
    onProgress: (bytesDone) => sizes.push(bytesDone),
    sizes,
    ...changes,
  };
}

/** An attempt whose compressor waits, so that tar is stopped in the first file that is larger than a pipe. */
export async function heldAttempt(
  path: string,
  changes: Partial<MountedCaptureInput> = {},
): Promise<MountedCaptureInput & { gate: Gate }> {
  const attempt = await mountedAttempt(path, changes);
  const { bgzip } = attempt.tools;
  const gate = await gateBefore({ real: bgzip?.path ?? '', directory: await testDirectory(), name: 'bgzip' });
  return { ...attempt, tools: { ...attempt.tools, bgzip: { path: gate.path, version: '1' } }, gate };
}

/** Waits until a tar that `parent` started has a file open whose path ends so; its process id. */
export async function tarReading(ending: string, parent = process.pid): Promise<number> {
  return waitFor(`tar to read ${ending}`, async () => {
    for (const { pid, name } of processesUnder(parent)) {
      if (name === 'tar' && (await openFiles(pid)).some((file) => file.endsWith(ending))) return pid;
    }
    return undefined;
  });
}

async function openFiles(pid: number): Promise<string[]> {
  const directory = `/proc/${String(pid)}/fd`;
  return Promise.all((await readdir(directory)).map((fd) => readlink(join(directory, fd))));
}
