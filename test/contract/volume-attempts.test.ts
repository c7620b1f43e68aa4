import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BackupError } from '../../src/domain/errors.js';
import { ensureHelperImage } from '../../src/sources/docker/helper-image.js';
import { captureVolume, removeAttempts } from '../../src/sources/volume/capture.js';
import { volumeExists } from '../support/docker-volume.js';
import { priorityOf } from '../support/seen-priority.js';
import { beforeDocker, letGo, slowHelpers, stubEnvironment } from '../support/docker-wrapper.js';
import {
  attemptAt,
  containersOf,
  dockerLines,
  filesBeside,
  filledVolume,
  meetInMidWrite,
  testDirectory,
  volumeName,
} from '../support/volume-attempt.js';

const run = promisify(execFile);

async function slowVolume(): Promise<string> {
  await slowHelpers();
  return filledVolume('slow', 'head -c 40M /dev/urandom >large');
}

test('an aborted capture leaves no container', async () => {
  const stop = new AbortController();
  const attempt = await attemptAt(await slowVolume(), { level: 9, signal: stop.signal });
  const capture = captureVolume(attempt);
  await meetInMidWrite(attempt);
  stop.abort();

  await expect(capture).rejects.toMatchObject({ code: 'Cancelled' });
  expect(await containersOf(attempt.service)).toEqual([]);
  expect(await filesBeside(attempt.partPath)).toHaveLength(1);
});

test('an abort for a reason of its own is told as that', async () => {
  const stop = new AbortController();
  const attempt = await attemptAt(await slowVolume(), { level: 9, signal: stop.signal });
  const capture = captureVolume(attempt);
  await meetInMidWrite(attempt);
  stop.abort(new BackupError('Stalled', 'cannot go on: because no byte moved for 15 minutes'));

  await expect(capture).rejects.toMatchObject({ code: 'Stalled' });
});

test('an attempt that is aborted before it begins makes no container', async () => {
  const attempt = await attemptAt(await filledVolume('small', 'echo one >file'), { signal: AbortSignal.abort() });

  await expect(captureVolume(attempt)).rejects.toMatchObject({ code: 'Cancelled' });
  expect(await containersOf(attempt.service)).toEqual([]);
});

test('of two attempts at once the later one ends the earlier', async () => {
  const volume = await slowVolume();
  const earlier = await attemptAt(volume, { level: 9 });
  const capture = captureVolume(earlier);
  const failure = expect(capture).rejects.toMatchObject({
    code: 'Failed',
    message: 'cannot capture files: because its helper container was ended from outside',
  });
  await meetInMidWrite(earlier);
  vi.unstubAllEnvs();

  const later = await attemptAt(volume, { service: earlier.service, level: 1 });
  await captureVolume(later);
  await failure;
  expect(await containersOf(earlier.service)).toEqual([]);
  await run('tar', ['-tzf', later.partPath]);
});

test('a new attempt ends the container that a killed worker left', async () => {
  const volume = await slowVolume();
  const {
    tools: _tools,
    signal: _signal,
    onProgress: _onProgress,
    sizes: _sizes,
    ...first
  } = await attemptAt(volume, { level: 9 });
  const script = new URL('../support/volume-capture-process.ts', import.meta.url).pathname;
  const worker = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(first)], { stdio: 'ignore' });
  const ended = once(worker, 'exit');
  const id = await meetInMidWrite(first);
  worker.kill('SIGKILL');
  await ended;
  expect(await containersOf(first.service)).toEqual([id]);
  vi.unstubAllEnvs();

  const second = await attemptAt(volume, { service: first.service, level: 1 });
  await captureVolume(second);
  expect(await containersOf(first.service)).toEqual([]);
  const range = ['--since', '10m', '--until', String(Date.now() / 1000)];
  expect(await dockerLines('events', ...range, '--filter', `container=${id}`, '--filter', 'event=kill')).not.toEqual(
    [],
  );
});

test('only containers of the same service and target are ended, and never its own', async () => {
  const volume = await slowVolume();
  const own = await attemptAt(volume, { level: 9 });
  const otherTarget = await attemptAt(volume, { level: 9, service: own.service, target: 'others' });
  const otherService = await attemptAt(volume, { level: 9 });
  const captures: Promise<unknown>[] = [];
  const ids: string[] = [];
  for (const attempt of [own, otherTarget, otherService]) {
    captures.push(captureVolume(attempt));
    ids.push(await meetInMidWrite(attempt));
  }
  const failure = expect(captures[0]).rejects.toThrow('was ended from outside');

  expect(await removeAttempts({ service: own.service, target: 'files', exceptToken: own.attemptToken })).toBe(0);
  expect(await removeAttempts({ service: own.service, target: 'files' })).toBe(1);
  await failure;
  await Promise.all(ids.slice(1).map(letGo));
  await Promise.all(captures.slice(1));
});

/** Hands every connection on to the engine until it is cut off. */
async function engineProxy(): Promise<{ address: string; cutOff: () => void }> {
  const [target = ''] = await dockerLines('context', 'inspect', '--format', '{{.Endpoints.docker.Host}}');
  const path = join(await testDirectory(), 'engine.sock');
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: target.replace('unix://', ''), allowHalfOpen: true });
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.pipe(engine).pipe(client);
  });
  server.listen(path);
  await once(server, 'listening');
  const cutOff = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(cutOff);
  return { address: `unix://${path}`, cutOff };
}

test('an engine that goes away in the middle is unreachable, and the next attempt clears up', async () => {
  const volume = await slowVolume();
  const first = await attemptAt(volume, { level: 9 });
  const engine = await engineProxy();
  stubEnvironment('DOCKER_HOST', engine.address);
  const capture = captureVolume(first);
  const failure = expect(capture).rejects.toMatchObject({ code: 'ServerUnreachable', retryable: true });
  await meetInMidWrite(first);
  engine.cutOff();
  await failure;
  vi.unstubAllEnvs();
  expect(await containersOf(first.service)).toHaveLength(1);

  await captureVolume(await attemptAt(volume, { service: first.service, level: 1 }));
  expect(await containersOf(first.service)).toEqual([]);
});

test('a volume that goes away before the helper is made is missing, and the one that the engine made is removed', async () => {
  const volume = await filledVolume('going', 'echo one >file');
  await beforeDocker('create', `$real volume rm ${volume} >/dev/null`);
  const attempt = await attemptAt(volume);

  await expect(captureVolume(attempt)).rejects.toMatchObject({ code: 'NotFound' });
  expect(await volumeExists(volume)).toBe(false);
  expect(await containersOf(attempt.service)).toEqual([]);
});

test('a volume that somebody made again in the meantime is captured', async () => {
  const volume = await filledVolume('coming', 'echo one >file');
  await beforeDocker('create', `$real volume rm ${volume} >/dev/null; $real volume create ${volume} >/dev/null`);
  await captureVolume(await attemptAt(volume));

  expect(await volumeExists(volume)).toBe(true);
});

test('an empty volume that an attempt left when it was killed is missing until a container uses it', async () => {
  const volume = volumeName('left');
  await run('docker', ['volume', 'create', '--label', 'backup-orchestrator.attempt=dead', volume]);
  await expect(captureVolume(await attemptAt(volume))).rejects.toMatchObject({ code: 'NotFound' });
  expect(await volumeExists(volume)).toBe(true);

  const image = await ensureHelperImage({ signal: new AbortController().signal });
  const [user = ''] = await dockerLines(
    'create',
    '--mount',
    `type=volume,source=${volume},target=/data`,
    image,
    'bash',
  );
  onTestFinished(() => run('docker', ['rm', '--force', user]).then(() => undefined));
  await captureVolume(await attemptAt(volume));
});

test('what reads a volume has the priority of captures, and so has its container', async () => {
  const attempt = await attemptAt(await slowVolume(), { level: 9, priority: { nice: 10, ionice: 'idle' } });
  const capture = captureVolume(attempt);
  await meetInMidWrite(attempt);
  const [id = ''] = await containersOf(attempt.service);
  const [, ...lines] = await dockerLines('top', id, '-o', 'pid,ni,comm');
  const seen = lines.map((line) => line.trim().split(/\s+/)).filter(([, , name]) => name !== 'bash');
  expect(seen.length).toBeGreaterThan(0);
  for (const [pid, nice] of seen) {
    expect(nice).toBe('10');
    expect(await priorityOf(Number(pid))).toEqual({ nice: 10, ionice: 'idle' });
  }
  expect(await dockerLines('inspect', '--format', '{{.HostConfig.CpuShares}}', id)).toEqual(['110']);
  await letGo(id);
  await capture;
});
