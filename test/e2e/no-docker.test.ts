import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { SOON_LOST, mountedItem, volumeItem, type Deployment } from '../support/deployment.js';
import { gateBefore } from '../support/gate.js';
import { tarReading } from '../support/mounted-attempt.js';
import { ownBucket, ownDeployment, ownVolume } from '../support/own-parts.js';
import { processesUnder } from '../support/process-tree.js';
import { runScript } from '../support/run-script.js';
import { insideVolume } from '../support/docker-volume.js';
import { ODD_CONTENT } from '../support/volume-content.js';
import { waitFor } from '../support/wait-for.js';
import { walk } from '../support/walk.js';
import { committed, expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';

const run = promisify(execFile);
const NO_TEMPORAL = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

/** A machine without Docker: every program of this one but its client, and an address where no engine is. */
async function withoutDocker({ directory }: Deployment): Promise<Record<string, string>> {
  const programs = join(directory, 'programs');
  await mkdir(programs, { recursive: true });
  for (const from of (process.env['PATH'] ?? '').split(':')) {
    for (const name of await readdir(from).catch(() => [])) {
      if (name !== 'docker') await symlink(join(from, name), join(programs, name)).catch(() => undefined);
    }
  }
  return { PATH: programs, DOCKER_HOST: 'unix:///nonexistent' };
}

/** A deployment with one mounted volume, `uploads`, in a directory of its own. */
async function mounted(test: TestContext, script: string, more: { items?: string; bucket?: string } = {}) {
  const deployment = await ownDeployment(test, {
    ...(more.bucket !== undefined && { s3: { bucket: more.bucket } }),
    settings: { ...SOON_LOST, retention_count: 1 },
  });
  const path = join(deployment.directory, 'volumes', 'uploads');
  await mkdir(path, { recursive: true });
  await runScript({ directory: path }, script);
  await deployment.configure({ volumes: [mountedItem('uploads', path), more.items ?? ''].join('\n') });
  return { deployment, path };
}

describe('a machine without Docker', () => {
  it('captures, copies, prunes, lists and restores mounted volumes, and its doctor finds nothing wrong', async (test) => {
    const bucket = await ownBucket();
    const { deployment, path } = await mounted(test, ODD_CONTENT, { bucket });
    const env = await withoutDocker(deployment);
    const backupctl = (args: string[], also = {}) => deployment.backupctl(args, { ...env, ...also });
    const worker = await startWatchedWorker(deployment, env);
    expect((await run('bash', ['-c', 'command -v docker || echo none'], { env })).stdout).toBe('none\n');

    for (const _night of [1, 2]) {
      const { code, stderr, json } = await backupctl(['run', '--json']);
      expect(code, stderr).toBe(0);
      expect(json).toMatchObject({ outcome: 'succeeded', targets: [{ target: 'uploads' }] });
    }
    const doctor = await backupctl(['doctor', '--json']);
    expect(doctor.code, doctor.stdout + doctor.stderr).toBe(0);
    expect(doctor.json).toContainEqual({ check: 'volume', subject: 'uploads', ok: true, message: `${path} is there` });
    expect(JSON.stringify(doctor.json)).not.toContain('docker');
    const listed = (await backupctl(['list', 'uploads', '--json'], NO_TEMPORAL)).json as { run: string }[];
    expect(listed).toHaveLength(2); // the second night's, here and in the bucket
    expect(new Set(listed.map((artifact) => artifact.run)).size).toBe(1);
    await worker.stop();

    const into = join(deployment.directory, 'restored');
    for (const from of ['local', 's3']) {
      const restored = await backupctl(['restore', 'uploads', '--from', from, '--into', 'restored'], NO_TEMPORAL);
      expect(restored.code, restored.stderr).toBe(0);
      expect(restored.stderr).toMatch(
        new RegExp(`\\nrestored uploads of run \\S+ into the directory ${into} \\(.+\\)\\n$`),
      );
      expect(await walk(into)).toEqual(await walk(path));
      await rm(into, { recursive: true });
    }
    const show = await backupctl(['config', 'show', '--json']);
    expect(show.json).toMatchObject({ volume_backups: [{ name: 'uploads', path }] });
    await expectNothingLeft(deployment, bucket);
  });

  it('restores to where the volume is mounted if nothing is there, and refuses where something is', async (test) => {
    const { deployment, path } = await mounted(test, 'echo one >file; chown 33:33 file');
    const env = await withoutDocker(deployment);
    const worker = await startWatchedWorker(deployment, env);
    expect((await deployment.backupctl(['run'], env)).code).toBe(0);
    await worker.stop();
    const before = await walk(path);
    const restore = () => deployment.backupctl(['restore', 'uploads'], { ...env, ...NO_TEMPORAL });

    const refused = await restore();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `cannot restore uploads into the directory ${path}: because it is not empty\nHINT: `,
    );
    expect(refused.stderr).not.toContain('checking');
    expect(await walk(path)).toEqual(before);
    await rm(path, { recursive: true });
    const restored = await restore();
    expect(restored.code, restored.stderr).toBe(0);
    expect(await walk(path)).toEqual(before);
    expect(await readdir(dirname(path))).toEqual(['uploads']);
  });

  it('fails a volume that is not mounted by name, and backs up the others', async (test) => {
    const { deployment } = await mounted(test, 'echo one >file', { items: mountedItem('away', '/nonexistent/away') });
    const env = await withoutDocker(deployment);
    await startWatchedWorker(deployment, env);
    const { code, json, stderr } = await deployment.backupctl(['run', '--json'], env);

    expect(code, stderr).toBe(3);
    const { targets } = json as RunReport;
    const away = targets.find(({ target }) => target === 'away');
    expect(JSON.stringify(away)).toContain('cannot archive away: because /nonexistent/away is not there');
    expect(targets.find(({ target }) => target === 'uploads')).toMatchObject({ outcome: 'succeeded' });
  });

  it('whose worker is killed in mid-tar is left no program, and the next attempt finishes', async (test) => {
    const { deployment, path } = await mounted(test, 'head -c 4M /dev/urandom >large');
    const env = await withoutDocker(deployment);
    const directory = join(deployment.directory, 'gate');
    await mkdir(directory);
    const real = (await run('which', ['bgzip'])).stdout.trim();
    await gateBefore({ real, directory, name: 'bgzip' });
    const worker = await startWatchedWorker(deployment, { ...env, PATH: `${directory}:${String(env['PATH'])}` });
    const watched = await startRun(deployment);
    await tarReading('/large', worker.pid);
    const programs = processesUnder(worker.pid);
    expect(programs.map(({ name }) => name)).toContain('tar');

    worker.crash();
    await waitFor('its programs to end', () => programs.every(({ hasEnded }) => hasEnded()));
    await startWatchedWorker(deployment, env);
    await expectSuccess(watched);
    expect(await committed(watched, 'uploads')).toMatchObject({ source: { kind: 'volume', path }, warnings: [] });
    await expectNothingLeft(deployment);
  });
});

describe('a volume that is mounted now and was a volume of the engine before', () => {
  it('is restored to a directory, and the other way round', async (test) => {
    const volume = await ownVolume(test, 'echo engine >file');
    const deployment = await ownDeployment(test, { volumes: volumeItem('uploads', volume) });
    const worker = await startWatchedWorker(deployment);
    expect((await deployment.backupctl(['run'])).code).toBe(0);
    await worker.stop();
    const into = join(deployment.directory, 'directory');
    await deployment.configure({ volumes: mountedItem('uploads', into) });

    const toDirectory = await deployment.backupctl(['restore', 'uploads'], NO_TEMPORAL);
    expect(toDirectory.code, toDirectory.stderr).toBe(0);
    expect(await readFile(join(into, 'file'), 'utf8')).toBe('engine\n');

    await writeFile(join(into, 'file'), 'directory\n');
    const again = await startWatchedWorker(deployment);
    expect((await deployment.backupctl(['run'])).code).toBe(0);
    await again.stop();
    const other = await ownVolume(test, 'true');
    await run('docker', ['volume', 'rm', other]);
    await deployment.configure({ volumes: volumeItem('uploads', other) });
    const toVolume = await deployment.backupctl(['restore', 'uploads'], NO_TEMPORAL);
    expect(toVolume.code, toVolume.stderr).toBe(0);
    const found = await walk(await insideVolume(other));
    expect(found.map(({ path }) => path)).toEqual(['.', 'file']);
    expect(found[1]).toMatchObject({ sizeBytes: 'directory\n'.length });
  });
});
