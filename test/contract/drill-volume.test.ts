import { randomBytes } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { DrillResult } from '../../src/domain/verification.js';
import { drillVolume, type DrillVolumeInput } from '../../src/drill/drill-volume.js';
import { captureVolume } from '../../src/sources/volume/capture.js';
import { findProgram } from '../../src/pipeline/program.js';
import { ensureHelperImage } from '../../src/sources/docker/helper-image.js';
import { insideVolume, volumeExists } from '../support/docker-volume.js';
import { letGo, recordDocker, slowHelpers, stubEnvironment } from '../support/docker-wrapper.js';
import { holdWalk } from '../support/held-drill.js';
import { runScript } from '../support/run-script.js';
import { attemptAt, dockerLines, filledVolume, meetInMidWrite, testDirectory } from '../support/volume-attempt.js';
import { drillFor, drillOf, leftBy } from '../support/volume-drills.js';
import { ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';

/** Drills, and changes what was restored by a script before it is looked at. */
async function damaged(drill: DrillVolumeInput, script: string): Promise<DrillResult & { volume: string }> {
  const held = await holdWalk();
  const drilled = drillVolume(drill);
  const volume = await held.volume();
  await runScript(await insideVolume(volume), script);
  await held.letGo();
  return { ...(await drilled), volume };
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

test('without what looks into files nothing is restored, and nothing is verified', async () => {
  const drill = await drillOf('echo one >file');
  const asked = await recordDocker('volume', 'create');
  const programs = await testDirectory();
  for (const name of ['setpriv', 'find', 'stat', 'b2sum', 'docker', 'bash', 'tar', 'bgzip'])
    await symlink(findProgram(name) ?? name, join(programs, name));
  stubEnvironment('PATH', programs);

  expect(await drillVolume(drill)).toEqual({
    outcome: 'unverified',
    reason: 'this machine has no getfattr, which compares what was restored: install the package attr',
    notes: [],
  });
  expect(await asked()).toEqual([]);
});

test('a helper_image that lacks what looks into files leaves the artifact unverified', async () => {
  const drill = await drillOf('echo one >file');
  const image = `backup-tests/without-getfattr:${randomBytes(4).toString('hex')}`;
  const assembled = await ensureHelperImage({ signal: drill.signal });
  const id = (await dockerLines('create', assembled, 'bash'))[0] ?? '';
  onTestFinished(async () => void (await dockerLines('rmi', '--force', image)));
  // An image of the same programs, where PATH leads to all but one of them.
  const env = (
    await dockerLines('image', 'inspect', '-f', '{{range .Config.Env}}{{println .}}{{end}}', assembled)
  ).filter(Boolean);
  const changes = env.map((line) => `--change 'ENV ${line}'`);
  const getfattr = (findProgram('getfattr') ?? '').slice(1);
  await runScript(
    { directory: '/' },
    `docker export ${id} | tar --delete ${getfattr} | docker import ${changes.join(' ')} - ${image}`,
  );
  await dockerLines('rm', id);

  expect(await drillVolume({ ...drill, helperImage: image })).toMatchObject({
    outcome: 'unverified',
    reason: `the helper_image ${image} has no getfattr, which compares what was restored: install the package attr`,
  });
  expect(await leftBy(drill)).toEqual([]);
});

/** In `ls -U` order, in which tar reads it too, files follow the large one. */
const CHANGING = `
mkdir many
head -c 40M /dev/urandom >many/large
until [[ $(ls -U many | sed '1,/^large$/d' | wc -l) -ge 3 ]]; do n=$(( \${n:-0} + 1 )); echo $n >many/small-$n; done
`;

test('a volume whose files grow, shrink and vanish while they are read is warned about, and comes back as it was read', async () => {
  await slowHelpers();
  const volume = await filledVolume('changing', CHANGING);
  const attempt = await attemptAt(volume, { level: 9 });
  const capture = captureVolume(attempt);
  const id = await meetInMidWrite(attempt);
  await runScript(
    await insideVolume(volume),
    `cd many; after=($(ls -U | sed '1,/^large$/d'))
    rm "\${after[0]}"; mv "\${after[1]}" renamed; echo more >>"\${after[2]}"; echo new >new; truncate -s 10M large`,
  );
  await letGo(id);
  const { warnings } = await capture;
  vi.unstubAllEnvs();

  expect(warnings).toEqual([
    expect.stringMatching(/many\/large: File shrank by \d+ bytes; padding with zeros$/),
    expect.stringMatching(/many\/small-\d+: File removed before we read it$/),
    expect.stringMatching(/many\/small-\d+: File removed before we read it$/),
    expect.stringMatching(/many: file changed as we read it$/),
  ]);
  const drill = await drillFor(attempt.partPath, attempt.service);
  expect(await drillVolume(drill)).toMatchObject({ outcome: 'verified', notes: [] });
});
