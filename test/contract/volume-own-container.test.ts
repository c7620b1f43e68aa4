import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ensureHelperImage } from '../../src/sources/docker/helper-image.js';
import { restoreVolume } from '../../src/sources/volume/restore.js';
import { createVolume, insideVolume } from '../support/docker-volume.js';
import {
  attemptAt,
  containersOf,
  dockerLines,
  filledVolume,
  testDirectory,
  volumeName,
} from '../support/volume-attempt.js';
import { LIFELIKE_CONTENT } from '../support/volume-content.js';
import { walk } from '../support/walk.js';

const run = promisify(execFile);
const SOCKET = '/var/run/docker.sock';
const USER = { uid: 1234, gid: 5678 };
const BACKUP_DIR = '/all backups';
/** Not /tmp: the checkout may lie there. */
const SCRATCH = '/scratch';

interface WorkerInput {
  /** Docker's `--mount` for the backup directory. */
  backups: string;
  volume: string;
  partPath: string;
}

/** Captures in a container as a plain user: with the image's tar and compressor, and with this host's node and docker. */
async function captureInContainer({
  backups,
  volume,
  partPath,
}: WorkerInput): Promise<{ stdout: string; service: string }> {
  const {
    tools: _tools,
    signal: _signal,
    onProgress: _onProgress,
    sizes: _sizes,
    ...attempt
  } = await attemptAt(volume, { partPath });
  const checkout = fileURLToPath(new URL('../..', import.meta.url));
  const image = await ensureHelperImage({ signal: new AbortController().signal });
  const programs = new Set(['/usr', '/bin', '/lib', '/lib64', dirname(process.execPath), checkout]);
  const name = `backup-tests-worker-${randomUUID()}`;
  onTestFinished(() =>
    run('docker', ['rm', '--force', name]).then(
      () => undefined,
      () => undefined,
    ),
  );
  const script = `install -m 0660 /dev/null "$1" && exec '${process.execPath}' --import tsx test/support/volume-capture-process.ts "$2"`;
  const { stdout } = await run('docker', [
    ...['run', '--rm', '--name', name, '--hostname', 'a-name-of-its-own', '--network', 'none', '--tmpfs', SCRATCH],
    ...['--user', `${String(USER.uid)}:${String(USER.gid)}`, '--group-add', String((await stat(SOCKET)).gid)],
    ...[...programs].flatMap((path) => ['--mount', `type=bind,source=${path},target=${path},readonly`]),
    ...['--mount', `type=bind,source=${SOCKET},target=${SOCKET}`, '--mount', backups],
    ...[
      '--env',
      `PATH=${process.env['PATH'] ?? ''}`,
      '--env',
      `HOME=${SCRATCH}`,
      '--env',
      `TMPDIR=${SCRATCH}`,
      '--workdir',
      checkout,
    ],
    ...['--entrypoint', 'bash', image, '-c', script, 'bash', partPath, JSON.stringify(attempt)],
  ]);
  return { stdout, service: attempt.service };
}

/** The worker's image is a helper image here, so only the name by which the helper was made shows where it was taken from. */
async function ownImage(): Promise<string | undefined> {
  const image = await ensureHelperImage({ signal: new AbortController().signal });
  return (await dockerLines('image', 'inspect', '--format', '{{.Id}}', image))[0];
}

/** By what name or id the images of the service's helpers, now gone, were asked for. */
async function imagesUsedFor(service: string): Promise<string[]> {
  const range = ['--since', '10m', '--until', String(Date.now() / 1000)];
  const filters = ['--filter', 'event=create', '--filter', `label=backup-orchestrator.service=${service}`];
  return dockerLines('events', ...range, ...filters, '--format', '{{.Actor.Attributes.image}}');
}

/** Where the backups of the test are for the worker, and for this process. */
async function backupPlace(kind: 'volume' | 'bind'): Promise<{ mount: string; directory: string }> {
  if (kind === 'bind') {
    const directory = await testDirectory();
    await chown(directory, USER.uid, USER.gid);
    await chmod(directory, 0o700);
    return { mount: `type=bind,source=${directory},target=${BACKUP_DIR}`, directory };
  }
  const name = volumeName('backups');
  await createVolume(name, `chown ${String(USER.uid)}:${String(USER.gid)} .; chmod 0700 .`);
  const place = await insideVolume(name);
  if (!('directory' in place))
    throw new Error('this test looks into the volume and needs root on the machine of the engine');
  return { mount: `type=volume,source=${name},target=${BACKUP_DIR}`, directory: place.directory };
}

test.each(['volume', 'bind'] as const)('a worker in a container captures to its %s by its own image', async (kind) => {
  const volume = await filledVolume('lifelike', LIFELIKE_CONTENT);
  const { mount, directory } = await backupPlace(kind);
  const partPath = join(BACKUP_DIR, 'files.tar.gz.token.part');
  const { stdout, service } = await captureInContainer({ backups: mount, volume, partPath });

  expect(JSON.parse(stdout)).toMatchObject({ source: { kind: 'volume', host: 'default', volume }, warnings: [] });
  expect(await containersOf(service)).toEqual([]);
  expect(await imagesUsedFor(service)).toEqual([await ownImage()]);
  const artifactPath = join(directory, 'files.tar.gz.token.part');
  expect(await stat(artifactPath)).toMatchObject(USER);
  const into = volumeName('restored');
  await restoreVolume({ ...(await attemptAt(volume)), into, artifactPath });
  expect(await walk(await insideVolume(into))).toEqual(await walk(await insideVolume(volume)));
});

test('a worker in a container whose backup directory is not mounted says so', async () => {
  const volume = await filledVolume('small', 'echo one >file');
  const { mount } = await backupPlace('bind');

  await expect(
    captureInContainer({ backups: mount, volume, partPath: `${SCRATCH}/files.tar.gz.token.part` }),
  ).rejects.toThrow('because it lies on no volume or host directory of this container');
});
