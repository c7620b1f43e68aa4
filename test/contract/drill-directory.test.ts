import { readdir } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { drillVolume, type DrillVolumeInput } from '../../src/drill/drill-volume.js';
import { captureMounted, type MountedCaptureInput } from '../../src/sources/mounted-capture.js';
import { recordDocker } from '../support/docker-wrapper.js';
import { aManifest } from '../support/manifest.js';
import { filledDirectory, heldAttempt, mountedAttempt, tarReading } from '../support/mounted-attempt.js';
import { runScript } from '../support/run-script.js';
import { testDirectory } from '../support/volume-attempt.js';
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
