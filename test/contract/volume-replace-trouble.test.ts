import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ensureHelperImage } from '../../src/sources/docker/helper-image.js';
import { findReplaced, replaceVolume } from '../../src/sources/volume/replace.js';
import { requireReplaceable } from '../../src/sources/volume/replaceable.js';
import { beforeDocker } from '../support/docker-wrapper.js';
import { containersOf, dockerLines, testDirectory } from '../support/volume-attempt.js';
import { contentOf, keptOf, nextAttempt, replacementOf, type Replacement } from '../support/volume-replacement.js';
import { volumeExists } from '../support/docker-volume.js';

const run = promisify(execFile);
const [NEW, OLD] = ['mkdir a; echo new >a/file; head -c 1M /dev/urandom >noise', 'echo old >old; chown 33:34 .'];

/** A container that uses the volume until the test ends. */
async function userOf({ volume, signal }: Replacement, ...commands: string[]): Promise<string> {
  const image = await ensureHelperImage({ signal });
  const mount = ['--mount', `type=volume,source=${volume},target=/data`];
  const [id = ''] = await dockerLines('create', ...mount, '--entrypoint', 'bash', '--interactive', image, '-c', 'read');
  onTestFinished(() => run('docker', ['rm', '--force', id]).then(() => undefined));
  for (const command of commands) await run('docker', [command, id]);
  return (await dockerLines('inspect', '--format', '{{.Name}}', id))[0]?.slice(1) ?? '';
}

async function expectAsBefore(replacement: Replacement): Promise<void> {
  expect(await contentOf(replacement.volume)).toEqual(replacement.old);
  expect(await keptOf(replacement.volume)).toEqual([]);
  expect(await containersOf(replacement.service)).toEqual([]);
}

async function expectReplaced(replacement: Replacement): Promise<void> {
  const [keptAs = ''] = await keptOf(replacement.volume);
  expect(await contentOf(replacement.volume)).toEqual(replacement.captured);
  expect(await contentOf(keptAs)).toEqual(replacement.old);
  expect(await containersOf(replacement.service)).toEqual([]);
}

/** The time of the top is the last thing that a swap sets: one that is killed right before has done all else. */
function butTimeOfTop<T extends { path: string }>(entry: T): T {
  return entry.path === '.' ? { ...entry, modifiedAt: undefined } : entry;
}

test('a volume that a running or paused container uses is refused, and a stopped one is told', async () => {
  const replacement = await replacementOf(NEW, OLD);
  const stopped = await userOf(replacement);
  expect(await requireReplaceable(replacement, replacement.signal)).toMatchObject({ stopped: [stopped] });
  const paused = await userOf(replacement, 'start', 'pause');
  const refusal = {
    code: 'Conflict',
    message: `cannot restore files in place of the volume "${replacement.volume}": because ${paused} uses it`,
    hint: `stop what uses it first: docker stop ${paused}`,
  };

  await expect(requireReplaceable(replacement, replacement.signal)).rejects.toMatchObject(refusal);
  await expect(replaceVolume(replacement)).rejects.toMatchObject(refusal);
  await expectAsBefore(replacement);
});

test('a container that starts while the old content is kept is seen before the replacement', async () => {
  const replacement = await replacementOf(NEW, OLD);
  const name = await userOf(replacement);
  const starts = `if [[ "$*" == *'dst=/backup-orchestrator/before'* || "$*" == *target=/backup-orchestrator/before* ]]; then $real start ${name} >/dev/null; fi`;
  await beforeDocker('create', starts);

  await expect(replaceVolume(replacement)).rejects.toMatchObject({
    code: 'Conflict',
    message: expect.stringContaining(`because ${name} uses it`) as string,
  });
  await expectAsBefore(replacement);
});

test('no such volume is not made, and a name that is taken is left alone', async () => {
  const replacement = await replacementOf(NEW, OLD);
  const missing = { ...replacement, volume: `${replacement.volume}-missing` };
  await expect(requireReplaceable(missing, replacement.signal)).rejects.toMatchObject({ code: 'NotFound' });
  expect(await volumeExists(missing.volume)).toBe(false);

  const taken = { ...replacement, keptAs: replacement.volume };
  await expect(replaceVolume(taken)).rejects.toMatchObject({ code: 'Conflict' });
  await expectAsBefore(replacement);
});

test.each([3, 4])('a helper that is killed as the %ith leaves the old content wholly, or the new one', async (nth) => {
  const replacement = await replacementOf(NEW, OLD);
  const count = join(await testDirectory(), 'count');
  await writeFile(count, '');
  const kill = `echo >>${count}; if [[ $(wc -l <${count}) -eq ${String(nth)} ]]; then $real kill "$2" >/dev/null 2>&1; fi`;
  await beforeDocker('wait', kill);
  const settled = await replaceVolume(replacement).catch((error: unknown) => error);

  if (settled instanceof Error) {
    expect(settled).toMatchObject({ code: 'Failed' });
    await expectAsBefore(replacement);
  } else {
    const [keptAs = ''] = await keptOf(replacement.volume);
    expect((await contentOf(replacement.volume)).map(butTimeOfTop)).toEqual(replacement.captured.map(butTimeOfTop));
    expect(await contentOf(keptAs)).toEqual(replacement.old);
  }
});

test('what is only called much like a stage is content, and is kept', async () => {
  const replacement = await replacementOf(
    NEW,
    `${OLD}; mkdir .removing-abc .restoring-1f .replacing-0; echo worth >.removing-abc/file`,
  );
  expect(await requireReplaceable(replacement, replacement.signal)).toMatchObject({ stages: [] });
  await replaceVolume(replacement);
  await expectReplaced(replacement);
});

test('a replacement whose helper is ended while it removes its stage leaves none', async () => {
  const replacement = await replacementOf(NEW, OLD);
  const count = join(await testDirectory(), 'count');
  await writeFile(count, '');
  const top = `$($real volume inspect --format '{{.Mountpoint}}' ${replacement.volume})`;
  const end = `$real wait "$2" >/dev/null; mkdir -p "${top}"/.removing-${replacement.attemptToken}/old; exit 1`;
  await beforeDocker('wait', `echo >>${count}; if [[ $(wc -l <${count}) -eq 4 ]]; then ${end}; fi`);
  await replaceVolume(replacement);
  const content = await contentOf(replacement.volume);
  expect(content).toHaveLength(replacement.captured.length);
});

test('an abort while the old content is kept leaves everything as it was', async () => {
  const replacement = await replacementOf(NEW, OLD);
  const stop = new AbortController();
  const log = (line: string) => {
    if (line.startsWith('keeping')) stop.abort();
  };
  await expect(replaceVolume({ ...replacement, signal: stop.signal, log })).rejects.toMatchObject({
    code: 'Cancelled',
  });
  await expectAsBefore(replacement);
});

test('after a kill the next attempt puts the old content back first, and what was done is not done again', async () => {
  const replacement = await replacementOf(NEW, OLD);
  const { tools: _tools, signal, onProgress: _onProgress, log: _log, ...first } = replacement;
  const script = new URL('../support/volume-replace-process.ts', import.meta.url).pathname;
  const worker = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(first)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(worker, 'exit');
  await once(worker.stdout, 'data'); // the new content is there, and the old one is to be kept
  worker.kill('SIGKILL');
  await ended;

  const next = nextAttempt(replacement);
  expect(await findReplaced(next, signal)).toBeUndefined();
  await replaceVolume(next);
  await expectReplaced(replacement);
  expect(await findReplaced(next, signal)).toEqual({ warnings: [], keptAs: next.keptAs });
  expect(await replaceVolume(nextAttempt(replacement))).toEqual({ warnings: [], keptAs: next.keptAs });
});

test('what another restore left that was killed is undone first', async () => {
  const replacement = await replacementOf(NEW, OLD);
  const left = `mkdir .restoring-0123456789ab .restoring-0123456789ab/new; touch .restoring-0123456789ab/new/half`;
  await run('bash', [
    '-c',
    `cd "$(docker volume inspect --format '{{.Mountpoint}}' ${replacement.volume})" && ${left}`,
  ]);

  await replaceVolume(replacement);
  expect(replacement.lines).toContain(
    `put the volume ${replacement.volume} back to what it was before a restore that did not end`,
  );
  expect(await contentOf(replacement.volume)).toEqual(replacement.captured);
});
