import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ensureHelperImage, HELPER_REPOSITORY } from '../../src/sources/docker/helper-image.js';
import type { ContainerMount } from '../../src/sources/docker/helper-mount.js';
import { captureVolume } from '../../src/sources/volume/capture.js';
import { checkVolume } from '../../src/sources/volume/check.js';
import { beforeDocker, slowHelpers, stubEnvironment } from '../support/docker-wrapper.js';
import {
  attemptAt,
  containersOf,
  dockerLines,
  filledVolume,
  meetInMidWrite,
  testDirectory,
} from '../support/volume-attempt.js';

const run = promisify(execFile);
const signal = new AbortController().signal;

async function removeImages(images: readonly string[]): Promise<void> {
  if (images.length > 0) await run('docker', ['image', 'rm', '--force', ...images]);
}

test('the helper can read the volume, write the part, and nothing else', async () => {
  await slowHelpers();
  const stop = new AbortController();
  const attempt = await attemptAt(await filledVolume('slow', 'head -c 40M /dev/urandom >large'), {
    signal: stop.signal,
  });
  const failure = expect(captureVolume(attempt)).rejects.toMatchObject({ code: 'Cancelled' });
  const id = await meetInMidWrite(attempt);
  const [inspected = ''] = await dockerLines('inspect', '--format', '{{json .}}', id);
  stop.abort();
  await failure;

  const { Config, HostConfig, Mounts } = JSON.parse(inspected) as Record<string, Record<string, unknown>>;
  expect(Config).toMatchObject({
    User: '0:0',
    Labels: {
      'backup-orchestrator.service': attempt.service,
      'backup-orchestrator.target': 'files',
      'backup-orchestrator.attempt': attempt.attemptToken,
    },
  });
  expect(HostConfig).toMatchObject({
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    CapAdd: [expect.stringMatching(/^(CAP_)?DAC_READ_SEARCH$/)],
    Privileged: false,
    AutoRemove: false,
    RestartPolicy: { Name: 'no' },
    SecurityOpt: expect.arrayContaining(['no-new-privileges']) as string[],
    PidsLimit: 1024,
  });
  const messages = attempt.partPath.replace('.part', '.messages.part');
  expect(
    (Mounts as unknown as ContainerMount[]).map(({ Type, Name, Source, RW }) => [Type, Name ?? Source, RW]).sort(),
  ).toEqual([
    ['bind', messages, true],
    ['bind', attempt.partPath, true],
    ['volume', attempt.volumeName, false],
  ]);
});

test('a check of a volume names the containers that use it', async () => {
  const volume = await filledVolume('used', 'echo one >file');
  const image = await ensureHelperImage({ signal });
  const mount = `type=volume,source=${volume},target=/data`;
  const [id = ''] = await dockerLines(
    'run',
    '--detach',
    '--network',
    'none',
    '--mount',
    mount,
    image,
    'bash',
    '-c',
    'read <> <(:)',
  );
  onTestFinished(() => run('docker', ['rm', '--force', id]).then(() => undefined));
  const [name = ''] = await dockerLines('inspect', '--format', '{{.Name}}', id);

  expect(await checkVolume({ volumeName: volume })).toMatchObject({
    volumeName: volume,
    driver: 'local',
    usedBy: [name.slice(1)],
  });
});

/** Makes this host one whose programs no other has, so that its image is of this test alone; the image is removed after it. */
async function hostOfItsOwn(): Promise<{ program: string }> {
  const directory = await testDirectory();
  const program = join(directory, 'age');
  await writeFile(program, `#!/bin/bash\n# ${randomUUID()}\n`, { mode: 0o755 });
  stubEnvironment('PATH', `${directory}:${process.env['PATH'] ?? ''}`);
  return { program };
}

async function layersOf(image: string): Promise<string[]> {
  return dockerLines('image', 'inspect', '--format', '{{json .RootFS.Layers}}', image);
}

test('an image is put together once, also for two at a time, and always of the same bytes', async () => {
  const { program } = await hostOfItsOwn();
  const imports = join(await testDirectory(), 'imports');
  await beforeDocker('import', `echo import >>${imports}`);
  const [image, same] = await Promise.all([ensureHelperImage({ signal }), ensureHelperImage({ signal })]);
  onTestFinished(() => removeImages([image]));

  expect(image).toMatch(new RegExp(`^${HELPER_REPOSITORY}:[0-9a-f]{16}$`));
  expect(same).toBe(image);
  expect(await ensureHelperImage({ signal })).toBe(image);
  expect(await readFile(imports, 'utf8')).toBe('import\n');

  const layers = await layersOf(image);
  await removeImages([image]);
  await utimes(program, 0, 1_000_000_000);
  expect(await ensureHelperImage({ signal })).toBe(image);
  expect(await layersOf(image)).toEqual(layers);
});

test('a host with other programs has another image', async () => {
  const image = await ensureHelperImage({ signal });
  await hostOfItsOwn();
  const other = await ensureHelperImage({ signal });
  onTestFinished(() => removeImages([other]));

  expect(other).not.toBe(image);
});

test('a host whose program was upgraded has another image', async () => {
  const { program } = await hostOfItsOwn();
  const image = await ensureHelperImage({ signal });
  await writeFile(program, `#!/bin/bash\n# ${randomUUID()}\n`); // as long as before
  const upgraded = await ensureHelperImage({ signal });
  onTestFinished(() => removeImages([image, upgraded]));

  expect(upgraded).not.toBe(image);
});

test('a configured image is used, and the volumes that it declares are removed again', async () => {
  const helperImage = `backup-tests/declares:${String(process.pid)}`;
  const directory = await testDirectory();
  const [plain = ''] = await dockerLines('create', await ensureHelperImage({ signal }), 'bash');
  await run('docker', ['commit', '--change', 'VOLUME /declared', plain, helperImage]);
  await run('docker', ['rm', plain]);
  onTestFinished(() => removeImages([helperImage]));
  const made = join(directory, 'made');
  // What the engine made for the container is known only as long as that is there.
  await beforeDocker('rm', `"$real" inspect --format '{{range .Mounts}}{{.Name}} {{end}}' "\${@: -1}" >${made}`);
  const attempt = await attemptAt(await filledVolume('small', 'echo one >file'), { helperImage });
  await captureVolume(attempt);

  const names = (await readFile(made, 'utf8')).split(/\s+/).filter((name) => name !== '');
  expect(names).toHaveLength(2);
  const existing = await dockerLines('volume', 'ls', '--quiet');
  expect(names.filter((name) => existing.includes(name))).toEqual([attempt.volumeName]);
});

test('a configured image that cannot be had is named', async () => {
  const helperImage = 'localhost:1/nowhere/helper:1';
  const volume = await filledVolume('small', 'echo one >file');

  await expect(captureVolume(await attemptAt(volume, { helperImage }))).rejects.toMatchObject({
    code: 'NotFound',
    message: expect.stringContaining(`cannot use helper_image ${helperImage}: because`) as string,
  });
});

test('a configured image without bash is a failure that says so', async () => {
  const helperImage = `backup-tests/bare:${String(process.pid)}`;
  const directory = await testDirectory();
  await run('tar', ['--create', '--file=bare.tar', '--files-from=/dev/null'], { cwd: directory });
  await run('docker', ['import', join(directory, 'bare.tar'), helperImage]);
  onTestFinished(() => removeImages([helperImage]));
  const attempt = await attemptAt(await filledVolume('small', 'echo one >file'), { helperImage });

  await expect(captureVolume(attempt)).rejects.toMatchObject({
    code: 'ProgramFailed',
    message: expect.stringMatching(/could not start the helper container: .*bash/s) as string,
    hint: expect.stringContaining('helper_image') as string,
  });
  expect(await containersOf(attempt.service)).toEqual([]);
});
