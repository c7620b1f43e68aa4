import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BackupError } from '../../src/domain/errors.js';
import {
  failedStage,
  requireSuccess,
  runProgram,
  startPipeline,
  type Program,
  type StageResult,
} from '../../src/pipeline/process.js';
import { waitFor } from '../support/wait-for.js';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'pipeline-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

function shell(script: string): Program {
  return { file: 'bash', args: ['-c', script] };
}

function isRunning(pidFile: string): boolean {
  const pid = readFileSync(pidFile, 'utf8').trim();
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function pidFilesOf(directory: string, names: readonly string[]): Promise<string[]> {
  const files = names.map((name) => join(directory, name));
  await waitFor('the processes to start', () => files.every((file) => readFileSync(file, 'utf8').endsWith('\n')));
  return files;
}

test('a program gets a clean environment and what it is given, no more', async () => {
  vi.stubEnv('PGPASSWORD', 'canary');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary');
  vi.stubEnv('TZ', 'America/Sao_Paulo');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const { stdout } = await runProgram({ file: 'env', args: [], env: { PGHOST: 'here' } });
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names.sort()).toEqual(['HOME', 'LANG', 'LC_ALL', 'PATH', 'PGHOST', 'TZ']);
});

test('stdin is the given text, and empty where there is none', async () => {
  expect((await runProgram({ file: 'cat', args: [], stdin: 'päth\n' })).stdout).toBe('päth\n');
  expect((await runProgram({ file: 'cat', args: [] })).stdout).toBe('');
});

test('a failure tells the code and the last lines of stderr', async () => {
  const failure = runProgram(shell('seq 1 100 >&2; echo "the reason" >&2; exit 3'));
  await expect(failure).rejects.toMatchObject({ code: 'ProgramFailed' });
  const error: unknown = await failure.catch((thrown: unknown) => thrown);
  expect((error as BackupError).message).toMatch(/^cannot run bash: because it ended with code 3: 92\n[^]*the reason$/);
  expect(failedStage(error)).toMatchObject({ exitCode: 3, signal: null, file: 'bash' });
});

test('a signal is a failure, and SIGKILL says what it mostly means', async () => {
  await expect(runProgram(shell('kill -KILL $$'))).rejects.toMatchObject({
    message: 'cannot run bash: because it was ended by SIGKILL',
    hint: expect.stringContaining('memory') as string,
  });
});

test('a program that is not installed is named with its package', async () => {
  await expect(runProgram({ file: 'no-such-program', args: [] })).rejects.toMatchObject({ code: 'ProgramMissing' });
  vi.stubEnv('PATH', scratch());
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  await expect(runProgram({ file: 'zstd', args: [] })).rejects.toMatchObject({
    message: 'cannot run zstd: because it is not installed',
    hint: expect.stringContaining('apt install zstd') as string,
  });
  await expect(runProgram({ file: '/bin/true', args: [] })).rejects.toMatchObject({
    code: 'ProgramMissing',
    hint: expect.stringContaining('util-linux') as string,
  });
});

test('too much output and too long a time are failures that say so', async () => {
  await expect(runProgram({ file: 'yes', args: [], maxOutputBytes: 1000 })).rejects.toThrow(
    'cannot run yes: because it wrote more than 1000 bytes',
  );
  await expect(runProgram({ file: 'sleep', args: ['1000'], timeoutMs: 50 })).rejects.toThrow(
    'cannot run sleep: because it took longer than 50 ms',
  );
});

test('an abort ends the program and what it started, even one that ignores SIGTERM', async () => {
  const directory = scratch();
  for (const name of ['child', 'parent']) writeFileSync(join(directory, name), '');
  const stop = new AbortController();
  const running = runProgram({
    ...shell('trap "" TERM; sleep 1000 & echo $! >child; echo $$ >parent; while :; do sleep 1; done'),
    cwd: directory,
    signal: stop.signal,
  });
  const pids = await pidFilesOf(directory, ['child', 'parent']);
  stop.abort(new BackupError('Stalled', 'cannot go on: because no byte moved'));
  await expect(running).rejects.toMatchObject({ code: 'Stalled' });
  await waitFor('both to be gone', () => !pids.some(isRunning));
});

test('stages are joined, and the first reads the given file', async () => {
  const path = join(scratch(), 'in');
  writeFileSync(path, 'b\na\n');
  const stdinFd = openSync(path, 'r');
  const { stdout, finished } = startPipeline({
    stages: [
      { file: 'cat', args: [] },
      { file: 'sort', args: [] },
      { file: 'tr', args: ['a-z', 'A-Z'] },
    ],
    stdinFd,
    stdout: 'pipe',
  });
  expect(await text(stdout)).toBe('A\nB\n');
  const results = await finished;
  closeSync(stdinFd);
  expect(results.map(({ file, exitCode }) => [file, exitCode])).toEqual([
    ['cat', 0],
    ['sort', 0],
    ['tr', 0],
  ]);
  expect(() => {
    requireSuccess(results, 'test');
  }).not.toThrow();
});

test('the last stage can write to a file', async () => {
  const path = join(scratch(), 'out');
  const stdout = openSync(path, 'w');
  const { finished } = startPipeline({ stages: [shell('echo one'), { file: 'cat', args: [] }], stdout });
  await finished;
  closeSync(stdout);
  expect(readFileSync(path, 'utf8')).toBe('one\n');
});

async function failureOf(...scripts: string[]): Promise<string> {
  const { stdout, finished } = startPipeline({ stages: scripts.map(shell), stdout: 'pipe' });
  stdout.resume();
  try {
    requireSuccess(await finished, 'capture');
    return 'success';
  } catch (error) {
    return (error as BackupError).message;
  }
}

test.each([
  ['the first', ['echo data; echo oops >&2; exit 3', 'cat', 'cat'], 'because bash ended with code 3: oops'],
  [
    'the first, whose reader then fails too',
    ['echo data; exit 3', 'cat >/dev/null; exit 6'],
    'because bash ended with code 3',
  ],
  ['a writer whose reader is killed', ['cat /dev/zero', 'kill -KILL $$'], 'because bash was ended by SIGKILL'],
  [
    'a writer that catches EPIPE',
    ["trap '' PIPE; cat /dev/zero", 'exec 0<&-; exit 4'],
    'because bash ended with code 4',
  ],
  [
    'bgzip, whose reader fails',
    ['exec cat /dev/urandom', 'exec bgzip -l 0 -c', 'sleep 0.1; exit 4'],
    'because bash ended with code 4',
  ],
  ['one that is killed after its output', ['echo data; kill -KILL $$', 'cat'], 'because bash was ended by SIGKILL'],
  ['the last', ['echo data', 'cat', 'cat >/dev/null; exit 5'], 'because bash ended with code 5'],
  ['none', ['echo data', 'cat'], 'success'],
])('of a failed pipeline the cause is told: %s', async (_which, scripts, expected) => {
  expect(await failureOf(...scripts)).toContain(expected);
});

test('a stage that was accepted is no failure', () => {
  const tar: StageResult = { file: 'tar', exitCode: 1, signal: null, stderr: 'file changed', endOrder: 0 };
  expect(() => {
    requireSuccess([tar], 'capture', ({ file, exitCode }) => file === 'tar' && exitCode === 1);
  }).not.toThrow();
  expect(() => {
    requireSuccess([tar], 'capture');
  }).toThrow('cannot capture: because tar ended with code 1: file changed');
});

test('the end of a long stderr is kept', async () => {
  const { finished } = startPipeline({
    stages: [shell('head -c 1000000 /dev/zero >&2; echo end >&2')],
    stdout: 'ignore',
  });
  const [result] = await finished;
  expect(result?.stderr).toHaveLength(16 * 1024);
  expect(result?.stderr.endsWith('end\n')).toBe(true);
});

test('a pipeline whose output nobody reads any more ends', async () => {
  const { stdout, finished } = startPipeline({
    stages: [shell('exec cat /dev/zero'), { file: 'cat', args: [] }],
    stdout: 'pipe',
  });
  stdout.destroy();
  // Whether SIGPIPE ends it or the write's error does, depends on what lay unread in the pipe.
  expect((await finished).map(({ exitCode }) => exitCode)).not.toContain(0);
});

test('an aborted pipeline is reaped before it is finished', async () => {
  const directory = scratch();
  const names = ['one', 'two', 'three'];
  for (const name of names) writeFileSync(join(directory, name), '');
  const stop = new AbortController();
  const stages = names.map((name) => ({
    ...shell(`trap "" TERM; echo $$ >${name}; while :; do sleep 1; done`),
    cwd: directory,
  }));
  const { stdout, finished } = startPipeline({ stages, stdout: 'pipe', signal: stop.signal });
  stdout.resume();
  const pids = await pidFilesOf(directory, names);
  stop.abort();
  expect((await finished).map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL']);
  expect(pids.filter(isRunning)).toEqual([]);
});

test('nothing is started where the signal aborted before', () => {
  expect(() => startPipeline({ stages: [shell('exit 1')], stdout: 'pipe', signal: AbortSignal.abort() })).toThrow(
    expect.objectContaining({ code: 'Cancelled' }) as Error,
  );
});

test('kill -9 of the process leaves none of a pipeline', async () => {
  const directory = scratch();
  const names = ['one', 'two', 'alone'];
  for (const name of names) writeFileSync(join(directory, name), '');
  const process = new URL('../../src/pipeline/process.ts', import.meta.url).href;
  const script = `
    import { runProgram, startPipeline } from ${JSON.stringify(process)};
    const stage = (name) => ({ file: 'bash', args: ['-c', 'echo $$ >' + name + '; exec sleep 1000'], cwd: ${JSON.stringify(directory)} });
    startPipeline({ stages: [stage('one'), stage('two')], stdout: 'ignore' });
    await runProgram(stage('alone'));`;
  const child = spawn('node', ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'inherit' });
  const pids = await pidFilesOf(directory, names);
  expect(pids.every(isRunning)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitFor('all to be gone', () => !pids.some(isRunning));
});
