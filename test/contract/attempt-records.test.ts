import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Context } from '@temporalio/activity';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { currentBootId } from '../../src/sources/quiesce/record.js';
import { OWNER, ownerOf, workerName, workersDirectory, type AttemptRecord } from '../../src/worker/attempt-record.js';
import { openRecords } from '../../src/worker/attempt-records.js';
import { findDeadWorkers } from '../../src/worker/left-attempts.js';
import { OwnAttempts } from '../../src/worker/own-attempts.js';
import { A_RECORD, leaveDeadWorker } from '../support/dead-worker.js';
import { halt } from '../support/process-tree.js';
import { fillDisk, mountSmallDisk } from '../support/small-disk.js';
import { testDirectory } from '../support/volume-attempt.js';
import { waitFor } from '../support/wait-for.js';

let root: string;
beforeEach(async () => {
  root = await testDirectory();
});

const workers = () => readdir(workersDirectory(root)).catch(() => []);
/** Paths of all records there are. */
async function recordPaths(): Promise<string[]> {
  const names = await readdir(workersDirectory(root), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => join(workersDirectory(root), name));
}

const { namespace, workflowId, activity: activityType, attempt, taskToken: base64TaskToken } = A_RECORD;
const INFO = { namespace, workflowExecution: { workflowId }, activityType, attempt, base64TaskToken, isLocal: false };

/** Runs `work` as an activity whose attempts are recorded. */
function perform<T>(own: OwnAttempts, work: () => Promise<T>, info: Partial<Context['info']> = {}): Promise<unknown> {
  const { inbound } = own.recording({ info: { ...INFO, ...info } as Context['info'] });
  return inbound?.execute?.({ args: [], headers: {} }, work) ?? Promise.reject(new Error('it intercepts nothing'));
}

function ownAttempts(isOurs = () => Promise.resolve(true)): OwnAttempts {
  const own = new OwnAttempts({ root, isOurs });
  onTestFinished(() => own.close());
  return own;
}

/** The record of an attempt that goes on. */
async function writtenRecord(): Promise<AttemptRecord> {
  const path = await waitFor('a record', async () => (await recordPaths())[0]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  return waitFor('it to be whole', async () => JSON.parse(await readFile(path, 'utf8')) as AttemptRecord);
}

describe('a worker', () => {
  it('records each attempt while it has it at hand, whether it ends well or not', async () => {
    const own = ownAttempts();
    const record = await perform(own, writtenRecord);
    const [name = ''] = await workers();
    const owner = await ownerOf(join(workersDirectory(root), name));
    expect(record).toEqual({ ...A_RECORD, startedAt: expect.any(String) as string, owner });
    const failing = perform(own, async () => Promise.reject(new Error(JSON.stringify(await writtenRecord()))));
    await expect(failing).rejects.toThrow(A_RECORD.workflowId);
    await waitFor('both to be forgotten', async () => (await recordPaths()).length === 0);
    expect(await workers()).toEqual([name]);
    await own.close();
    expect(await workers()).toEqual([]);
  });

  it('records nothing of what runs in a workflow task, which has no attempts', async () => {
    const own = ownAttempts();
    expect(await perform(own, () => Promise.resolve('done'), { isLocal: true })).toBe('done');
    const names = perform(
      own,
      async () => (await writtenRecord(), (await recordPaths()).map((path) => basename(path))),
    );
    expect(await names).toEqual(['1.json']); // the first that it wrote
  });

  it('writes nothing to a directory that is not its own, until it is', async () => {
    let isOurs = false;
    const own = ownAttempts(() => Promise.resolve(isOurs));
    expect(await perform(own, () => Promise.resolve('done'))).toBe('done');
    await own.close();
    expect(await readdir(root)).toEqual([]);
    isOurs = true;
    await waitFor('a record', () => perform(own, async () => (await recordPaths()).length === 1));
  });

  it('goes on without records where none can be written', async () => {
    const own = ownAttempts();
    await writeFile(workersDirectory(root), 'in the way');
    expect(await perform(own, () => Promise.resolve('done'))).toBe('done');
    await rm(workersDirectory(root));
    await waitFor('a record', () => perform(own, async () => (await recordPaths()).length === 1));
    await rm(workersDirectory(root), { recursive: true });
    expect(await perform(own, () => Promise.resolve('done'))).toBe('done');
    await waitFor('a record', () => perform(own, async () => (await recordPaths()).length === 1));
  });

  it('leaves nothing of a record that a full disk does not take, and keeps the others', async (test) => {
    await mountSmallDisk(test, root, 1);
    const records = await openRecords({ root, isOurs: () => Promise.resolve(true) });
    onTestFinished(() => records?.close());
    const forget = await records?.write(A_RECORD);
    await fillDisk(root);
    expect(await records?.write(A_RECORD)).toBeUndefined();
    expect(await recordPaths()).toHaveLength(1);
    expect(await records?.isThere()).toBe(true);
    await forget?.();
    await rm(join(root, 'somebody-elses'));
    expect(await records?.write(A_RECORD)).toBeDefined();
  });

  it('that leaves with an attempt at hand leaves its record to the next one', async () => {
    const records = await openRecords({ root, isOurs: () => Promise.resolve(true) });
    await records?.write(A_RECORD);
    await records?.close();
    const [path = ''] = await recordPaths();
    expect(await readdir(dirname(path))).toContain(OWNER); // on which this process listens to its end
    expect(await findDeadWorkers(root)).toEqual([]);
  });
});

describe('of what workers left', () => {
  it('that of a dead one is told, whatever lies beside it', async () => {
    const garbage = ['', '{', '{"format":"attempt/1"}', JSON.stringify({ ...A_RECORD, owner: '1:1' })];
    const directory = await leaveDeadWorker(root, [{ attempt: 3 }], { garbage });
    await writeFile(join(workersDirectory(root), 'README'), 'a file');
    await mkdir(join(workersDirectory(root), 'empty'));
    const owner = await ownerOf(directory);
    expect(await findDeadWorkers(root)).toEqual([{ directory, attempts: [{ ...A_RECORD, attempt: 3, owner }] }]);
  });

  it('nothing is known before the kernel says that a process is dead: one that hangs lives', async () => {
    const dead = await leaveDeadWorker(root, [{}]);
    const socket = join(dead, OWNER);
    await rm(socket);
    const listen = `require('node:net').createServer().listen(process.argv[1], () => console.log('ready'))`;
    const child = spawn(process.execPath, ['-e', listen, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const record = JSON.stringify({ ...A_RECORD, owner: await ownerOf(dead) });
    await writeFile(join(dead, '0.json'), record);
    expect(await findDeadWorkers(root)).toEqual([]);
    await halt(child.pid ?? 0);
    expect(await findDeadWorkers(root)).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await findDeadWorkers(root)).toMatchObject([{ directory: dead, attempts: [A_RECORD] }]);
  });

  it('nothing is known of another boot or machine, of another mount, or without a socket', async () => {
    await leaveDeadWorker(root, [{}], { bootId: '00000000-0000-0000-0000-000000000000' });
    await leaveDeadWorker(root, [{ owner: '7:7' }]);
    const moved = await leaveDeadWorker(root, [{}]);
    await rename(join(moved, OWNER), join(moved, 'elsewhere'));
    expect(await findDeadWorkers(root)).toEqual([]);
    expect(await workers()).toHaveLength(3);
  });

  it('goes what is old and of no use, and nothing of who lives', async () => {
    const [none, unknown] = [await leaveDeadWorker(root, []), await leaveDeadWorker(root, [{}], { bootId: 'other' })];
    const alive = await openRecords({ root, isOurs: () => Promise.resolve(true) });
    onTestFinished(() => alive?.close());
    const age = async (directory: string, ms: number) => {
      const then = new Date(Date.now() - ms);
      await utimes(directory, then, then);
    };
    await age(none, 90_000);
    await age(unknown, 90_000);
    const all = (await workers()).map((name) => join(workersDirectory(root), name));
    const living = all.find((path) => path !== none && path !== unknown) ?? '';
    await age(living, 30 * 24 * 3_600_000);
    await findDeadWorkers(root);
    expect((await workers()).sort()).toEqual([unknown, living].map((path) => path.split('/').at(-1)).sort());
    await age(unknown, 8 * 24 * 3_600_000);
    await findDeadWorkers(root);
    expect(await workers()).toEqual([living.split('/').at(-1)]);
    expect(living).toContain(workerName(await currentBootId(), ''));
  });
});
