import { access, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { drillVolume, type DrillVolumeInput } from '../../src/drill/drill-volume.js';
import { findProgram } from '../../src/pipeline/program.js';
import { captureMounted, type MountedCaptureInput } from '../../src/sources/directory/capture.js';
import { recordDocker, stubEnvironment } from '../support/docker-wrapper.js';
import { aManifest } from '../support/manifest.js';
import { filledDirectory, heldAttempt, mountedAttempt, tarReading } from '../support/mounted-attempt.js';
import { runScript } from '../support/run-script.js';
import { testDirectory } from '../support/volume-attempt.js';
import { waitFor } from '../support/wait-for.js';
import { ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';

async function drillFor({ partPath, tools, path }: MountedCaptureInput): Promise<DrillVolumeInput> {
  return {
    ...{ path: partPath, tools, signal: new AbortController().signal, scratchDir: await testDirectory() },
    manifest: aManifest({ kind: 'volume', target: 'uploads', source: { kind: 'volume', host: 'default', path } }),
    onProgress: () => undefined,
    log: () => undefined,
  };
}

/** What drills the artifact of a mounted volume with this content. */
async function drillOf(script: string): Promise<DrillVolumeInput> {
  const attempt = await mountedAttempt(await filledDirectory(script));
  await captureMounted(attempt);
  return drillFor(attempt);
}

test('a volume that had a path comes back in a directory, without Docker, and nothing is left', async () => {
  const drill = await drillOf(ODD_CONTENT + ODD_RIGHTS);
  const asked = await recordDocker('volume', 'image', 'create', 'ps', 'container');
  expect(await drillVolume(drill)).toEqual({ outcome: 'verified', notes: [], restoreMs: expect.any(Number) as number });
  expect(await readdir(drill.scratchDir)).toEqual([]);
  expect(await asked()).toEqual([]);
});

test('who is not root restores no owner, so that nothing is verified; everything else is compared', async () => {
  const drill = await drillOf(
    'echo one >file; mkdir closed; echo two >closed/file; chmod 0500 closed; chown 33:33 file',
  );
  vi.spyOn(process, 'geteuid').mockReturnValue(1000);
  const { outcome, reason } = await drillVolume(drill);
  vi.restoreAllMocks();
  expect({ outcome, reason }).toEqual({
    outcome: 'unverified',
    reason: 'this user is not root, and could restore no owner: all else is as it was backed up',
  });
  expect(await readdir(drill.scratchDir)).toEqual([]);
});

test('a mounted volume that changed while it was read comes back as it was read', async () => {
  const path = await filledDirectory('head -c 40M /dev/urandom >large');
  const attempt = await heldAttempt(path);
  const capture = captureMounted(attempt);
  await tarReading('large');
  await runScript({ directory: path }, 'truncate -s 1M large; echo new >new');
  await attempt.gate.open();
  expect((await capture).warnings).toContainEqual(expect.stringMatching(/large: File shrank by \d+ bytes/));
  expect(await drillVolume(await drillFor(attempt))).toMatchObject({ outcome: 'verified' });
});

/** Puts programs before those of this machine, for this test. */
async function replacePrograms(scripts: Record<string, string>): Promise<string> {
  const directory = await testDirectory();
  for (const [name, script] of Object.entries(scripts))
    await writeFile(join(directory, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  stubEnvironment('PATH', `${directory}:${process.env['PATH'] ?? ''}`);
  return directory;
}

test('a program that fails while it looks at what was restored is trouble, and no verdict', async () => {
  const drill = await drillOf('echo one >file');
  await replacePrograms({ b2sum: 'echo its disk is broken >&2; exit 1' });
  await expect(drillVolume(drill)).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringMatching(
      /looking through what was restored ended with code 1: .*its disk is broken/,
    ) as string,
  });
  expect(await readdir(drill.scratchDir)).toEqual([]);
});

const BEGUN = 'touch "$0.begun"; exec sleep infinity';

test.each([
  ['tar', BEGUN],
  ['b2sum', BEGUN],
  // The restore has the first one; of the second the archive's reader gets a beginning.
  ['bgzip', `if mkdir "$0.first" 2>&-; then exec $real "$@"; fi; $real "$@" | head -c 700; ${BEGUN}`],
] as const)('a drill that is aborted while %s runs leaves nothing, and is no verdict', async (program, script) => {
  const drill = await drillOf('echo one >file');
  const stop = new AbortController();
  const directory = await replacePrograms({ [program]: `real=${findProgram(program) ?? ''}; ${script}` });
  const { tar, bgzip } = drill.tools;
  const path = join(directory, program);
  const tools = {
    ...drill.tools,
    ...(program === 'tar' && { tar: { ...tar!, path } }),
    ...(program === 'bgzip' && { bgzip: { ...bgzip!, path } }),
  };
  const failure = expect(drillVolume({ ...drill, tools, signal: stop.signal })).rejects.toMatchObject({
    code: 'Cancelled',
  });
  await waitFor(`${program} to run`, () => access(`${path}.begun`).then(() => true));
  stop.abort();
  await failure;
  expect(await readdir(drill.scratchDir)).toEqual([]);
});
