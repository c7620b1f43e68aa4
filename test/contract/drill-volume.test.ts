import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { DrillResult } from '../../src/domain/verification.js';
import { drillVolume, type DrillVolumeInput } from '../../src/drill/drill-volume.js';
import { captureVolume } from '../../src/sources/volume-capture.js';
import { insideVolume, volumeExists } from '../support/docker-volume.js';
import { holdWalk } from '../support/held-walk.js';
import { aManifest } from '../support/manifest.js';
import { runScript } from '../support/run-script.js';
import { attemptAt, containersOf, dockerLines, filledVolume, testDirectory } from '../support/volume-attempt.js';
import { ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';

/** What drills an artifact. */
async function drillFor(artifactPath: string, service: string): Promise<DrillVolumeInput & { told: number[] }> {
  const { tools, signal } = await attemptAt('any');
  const told: number[] = [];
  return {
    ...{ path: artifactPath, tools, signal, scratchDir: await testDirectory() },
    manifest: aManifest({
      ...{ kind: 'volume', target: 'files', service },
      source: { kind: 'volume', host: 'default', volume: 'origin' },
    }),
    onProgress: (bytesDone) => told.push(bytesDone),
    log: () => undefined,
    told,
  };
}

/** What drills the artifact of a captured volume with this content. */
async function drillOf(script: string): Promise<DrillVolumeInput & { told: number[] }> {
  const attempt = await attemptAt(await filledVolume('origin', script));
  await captureVolume(attempt);
  return drillFor(attempt.partPath, attempt.service);
}

/** Drills, and changes what was restored by a script before it is looked at. */
async function damaged(drill: DrillVolumeInput, script: string): Promise<DrillResult & { volume: string }> {
  const held = await holdWalk();
  const drilled = drillVolume(drill);
  const volume = await held.volume();
  await runScript(await insideVolume(volume), script);
  await held.letGo();
  return { ...(await drilled), volume };
}

async function leftBy({ scratchDir, manifest: { service } }: DrillVolumeInput): Promise<string[]> {
  const volumes = await dockerLines('volume', 'ls', '-q', '--filter', `label=backup-orchestrator.service=${service}`);
  return [...(await containersOf(service)), ...volumes, ...(await readdir(scratchDir))];
}

test('whatever a volume holds comes back as it was, and nothing is left of the drill', async () => {
  const drill = await drillOf(ODD_CONTENT + ODD_RIGHTS);
  expect(await drillVolume(drill)).toEqual({
    outcome: 'verified',
    notes: [],
    restoreMs: expect.any(Number) as number,
  });
  expect(await leftBy(drill)).toEqual([]);
});

/** In the order of their paths: what is restored, what is done to it then, and how the drill tells it. */
const DAMAGES: [path: string, content: string, damage: string, difference: string][] = [
  [
    'acl',
    'setfattr -n system.posix_acl_access -v "$acl" acl',
    'setfattr -x system.posix_acl_access acl',
    ': xattr "system.posix_acl_access" is missing',
  ],
  ['additional', 'rm additional', 'echo more >additional', 'is not in the archive'],
  ['byte', '', 'printf X | dd of=byte bs=1 seek=3 conv=notrunc status=none', ': content differs'],
  [
    'copy',
    'ln copy copied',
    'cp -a copy other; mv other copy',
    ': it is a file of its own instead of the same as "copied"',
  ],
  ['device', 'rm device; mknod device c 1 3', 'rm device; mknod device c 1 5', ': device is 1:5 instead of 1:3'],
  ['directory', 'rm directory; mkdir directory', 'chmod 0700 directory', ': mode is 0700 instead of 0755'],
  ['group', '', 'chown 0:1 group', ': owner is 0:1 instead of 0:0'],
  ['kind', '', 'rm kind; mkfifo kind', ': type is fifo instead of file'],
  [
    'link',
    'ln -sf "nowhere at all" link',
    'ln -sf elsewhere link',
    ': target is "elsewhere" instead of "nowhere at all"',
  ],
  ['longer', '', 'echo >>longer', ': content differs, size is 13 instead of 12'],
  ['missing', '', 'rm missing', 'is missing'],
  ['mode', '', 'chmod 4644 mode', ': mode is 4644 instead of 0644'],
  ['owner', '', 'chown 1:0 owner', ': owner is 1:0 instead of 0:0'],
  [
    'time',
    '',
    'touch -d @1000000000.000000001 time',
    ': mtime is 1000000000.000000001 instead of 1000000000.000000000',
  ],
  [
    'xattr',
    'setfattr -n user.x -v one xattr',
    'setfattr -n user.x -v two xattr',
    ': xattr "user.x" is 0x74776f instead of 0x6f6e65',
  ],
];

test('each thing that a restore gets wrong fails the drill by name', async () => {
  const names = DAMAGES.map(([path]) => path);
  const acl = '0x0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000400ffffffff';
  const drill = await drillOf(`
    umask 022
    acl=${acl}
    for name in ${names.join(' ')}; do echo "hello world" >$name; done
    ${DAMAGES.map(([, content]) => content).join('\n')}
    touch -h -d @1000000000 * .
  `);
  const { volume, ...result } = await damaged(
    drill,
    `umask 022
    ${DAMAGES.map(([, , damage]) => damage).join('\n')}
    touch -h -d @1000000000 $(ls | grep -v time) .`,
  );
  expect(result.outcome).toBe('failed');
  const [head, differences = ''] = result.reason?.split(' differ: ') ?? [];
  expect(head).toBe(`${String(names.length)} of ${String(names.length + 2)} paths`);
  expect(differences.split('; ')).toEqual(
    DAMAGES.map(([path, , , difference]) => `"${path}"${difference.startsWith(':') ? '' : ' '}${difference}`),
  );
  expect(await volumeExists(volume)).toBe(false);
  expect(await leftBy(drill)).toEqual([]);
});
