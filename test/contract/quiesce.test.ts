import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import * as ownContainerModule from '../../src/sources/docker/own-container.js';
import { recordDirectory } from '../../src/sources/quiesce/record.js';
import { stubEnvironment } from '../support/docker-wrapper.js';
import { quiesceAttempt, recordsIn } from '../support/quiescing.js';
import type { OwnTest } from '../support/own-parts.js';
import { docker, inspected, ownContainer, statusOf } from '../support/resting-container.js';
import { waitFor } from '../support/wait-for.js';

const never = () => Promise.reject(new Error('it was read'));

/** They run before each test and after it. */
let [one, other, third]: [string, string, string] = ['', '', ''];
beforeAll(async () => {
  const endings: (() => unknown)[] = [];
  const scope = { onTestFinished: (ending: () => unknown) => void endings.push(ending) } as OwnTest;
  [one, other, third] = [await ownContainer(scope), await ownContainer(scope), await ownContainer(scope)];
  return async () => {
    for (const end of endings) await end();
  };
});

describe('containers of a volume that is captured', () => {
  it.each([
    { how: 'stop', down: 'exited' },
    { how: 'pause', down: 'paused' },
  ] as const)(
    'are down by $how while it is read, those that ran and no others, and run again',
    async ({ how, down }) => {
      const [app, db, idle] = [one, other, third];
      await docker('stop', idle);
      const { quiesce, root, log } = await quiesceAttempt({ how, containers: [app, idle, db] });

      const { result, quiesced, warnings } = await quiesce(async ({ containers }) => {
        const [record] = await recordsIn(root);
        expect(record).toMatchObject({ target: 'files', run: '20261124_030000', how });
        expect(record?.containers.map(({ name }) => name)).toEqual([app, db]);
        expect(containers).toHaveLength(3);
        return statusOf(app, db, idle);
      });

      expect(result).toEqual([down, down, 'exited']);
      expect(await statusOf(app, db, idle)).toEqual(['running', 'running', 'exited']);
      expect(quiesced).toEqual({ how, containers: [app, db], downMs: expect.any(Number) as number });
      expect(quiesced?.downMs).toBeGreaterThan(0);
      expect(warnings).toEqual([]);
      expect(await readdir(recordDirectory(root))).toEqual([]);
      expect(log).toEqual([
        expect.stringMatching(`^files: (stopping|pausing) ${app}, ${db}, for 10m at most$`),
        `files: ${app}, ${db} back`,
      ]);
      if (how === 'stop') expect((await startOf(db)) < (await startOf(app))).toBe(true); // in the reverse order
    },
  );

  it('are found by a label too; one that nobody has is a warning', async () => {
    const key = `test.${randomBytes(4).toString('hex')}`;
    const labelled = await ownContainer(CURRENT, ['--label', `${key}=shop`]);
    const { quiesce } = await quiesceAttempt({
      containers: [`label=${key}`, labelled, `label=${key}=shop`, `label=${key}=forum`],
    });
    expect(await quiesce(() => statusOf(labelled, other))).toMatchObject({
      result: ['exited', 'running'],
      quiesced: { containers: [labelled] },
      warnings: [`no container has the label ${key}=forum`],
    });
  });

  it('are not touched where one of their names is nobody’s', async () => {
    const before = await inspected(one);
    const { quiesce, root } = await quiesceAttempt({ containers: [one, before.Id.slice(0, 12)] });
    await expect(quiesce(never)).rejects.toMatchObject({
      code: 'NotFound',
      message: `cannot archive files: because there is no container "${before.Id.slice(0, 12)}"`,
    });
    expect((await inspected(one)).State).toEqual(before.State);
    expect(await recordsIn(root)).toEqual([]);
  });

  it('are not stopped where the engine would remove one, but paused', async () => {
    const names = [one, await ownContainer(CURRENT, ['--rm'])];
    const stopping = await quiesceAttempt({ containers: names });
    await expect(stopping.quiesce(never)).rejects.toMatchObject({
      code: 'ConfigInvalid',
      hint: expect.stringContaining('pause_containers') as string,
    });
    expect(await statusOf(...names)).toEqual(['running', 'running']);
    const pausing = await quiesceAttempt({ how: 'pause', containers: names });
    expect((await pausing.quiesce(() => statusOf(...names))).result).toEqual(['paused', 'paused']);
    expect(await statusOf(...names)).toEqual(['running', 'running']);
  });

  it('are never the worker’s own', async () => {
    const name = one;
    const { Id: id } = await inspected(name);
    const own = vi.spyOn(ownContainerModule, 'findOwnContainer').mockResolvedValue({ id, image: '', mounts: [] });
    try {
      const { quiesce } = await quiesceAttempt({ how: 'pause', containers: [name] });
      await expect(quiesce(never)).rejects.toMatchObject({
        code: 'ConfigInvalid',
        message: `cannot archive files: because ${name} must not be stopped or paused: this worker runs in it`,
      });
    } finally {
      own.mockRestore();
    }
    expect(await statusOf(name)).toEqual(['running']);
  });

  it('need an engine, and the error says so', async () => {
    stubEnvironment('DOCKER_HOST', 'unix:///nonexistent');
    const { quiesce } = await quiesceAttempt({ containers: ['shop-db'] });
    await expect(quiesce(never)).rejects.toMatchObject({
      code: 'ServerUnreachable',
      message: expect.stringMatching(
        /^cannot archive files: because stop_containers needs a Docker engine: /,
      ) as string,
    });
  });

  it('come back at once when max_downtime has passed, and no attempt follows', async () => {
    const name = one;
    const { quiesce, root } = await quiesceAttempt({ containers: [name], maxDowntimeMs: 1 });
    await expect(quiesce(never)).rejects.toMatchObject({
      message: 'cannot archive files: because its containers were down for longer than max_downtime (1ms)',
      retryable: false,
    });
    const longer = await quiesceAttempt({ how: 'pause', containers: [name], maxDowntimeMs: 1_000 });
    const untilAborted = quiesceAborted(longer.quiesce);
    await expect(untilAborted).rejects.toMatchObject({ retryable: false });
    expect(await statusOf(name)).toEqual(['running']);
    expect([...(await recordsIn(root)), ...(await recordsIn(longer.root))]).toEqual([]);
  });

  it('come back before a failure and before a cancellation is told', async () => {
    const name = one;
    const failing = await quiesceAttempt({ containers: [name] });
    await expect(failing.quiesce(() => Promise.reject(new Error('tar failed')))).rejects.toThrow('tar failed');
    expect(await statusOf(name)).toEqual(['running']);

    const stop = new AbortController();
    const cancelled = await quiesceAttempt({ how: 'pause', containers: [name] }, { signal: stop.signal });
    const capture = cancelled.quiesce(async ({ signal }) => {
      stop.abort();
      signal.throwIfAborted();
      return Promise.resolve();
    });
    await expect(capture).rejects.toMatchObject({ name: 'AbortError' });
    expect(await statusOf(name)).toEqual(['running']);
    expect([...(await recordsIn(failing.root)), ...(await recordsIn(cancelled.root))]).toEqual([]);
  });

  it.each([
    { how: 'stop', meanwhile: (name: string) => docker('start', name), said: 'was started' },
    { how: 'stop', meanwhile: restart, said: 'was started' },
    { how: 'pause', meanwhile: (name: string) => docker('unpause', name), said: 'was started' },
    { how: 'stop', meanwhile: (name: string) => docker('rm', name), said: 'was removed' },
  ] as const)('that did not stay down by $how, since one $said, fail the attempt', async ({ how, meanwhile, said }) => {
    const woken = said === 'was removed' ? await ownContainer(CURRENT) : one;
    const { quiesce, root } = await quiesceAttempt({ how, containers: [woken, other] });
    await expect(quiesce(() => meanwhile(woken))).rejects.toMatchObject({
      code: 'Conflict',
      message: `cannot archive files: because ${woken} ${said} while the volume was read`,
      retryable: true,
    });
    expect(await statusOf(other)).toEqual(['running']);
    if (said === 'was started') expect(await statusOf(woken)).toEqual(['running']);
    expect(await recordsIn(root)).toEqual([]);
  });

  it('are left to the first of two captures that name one, and the second waits', async () => {
    const [shared, own] = [one, other];
    const first = await quiesceAttempt({ containers: [shared] });
    const signs: number[] = [];
    const second = await quiesceAttempt(
      { how: 'pause', containers: [own, shared] },
      { root: first.root, target: 'mail', onProgress: (bytes) => signs.push(bytes) },
    );
    const cancelling = new AbortController();
    const third = await quiesceAttempt({ containers: [shared] }, { root: first.root, signal: cancelling.signal });

    let isFirstBack = false;
    let later: Promise<unknown> = Promise.resolve();
    await first.quiesce(async () => {
      const given = third.quiesce(never).catch((error: unknown) => error);
      later = second.quiesce(async () => {
        expect(isFirstBack).toBe(true);
        expect(await statusOf(own, shared)).toEqual(['paused', 'paused']);
      });
      await waitFor('the second to wait', () => signs.length > 1);
      await waitFor('the third to wait', () => third.log.length > 0);
      cancelling.abort();
      expect(await given).toMatchObject({ code: 'Cancelled' });
      expect(await statusOf(own, shared)).toEqual(['running', 'exited']);
      isFirstBack = true; // whoever does not wait is in the middle of it before
    });
    await later;
    expect(second.log[0]).toBe('mail: waits for containers that the capture of files has down');
    expect(await statusOf(own, shared)).toEqual(['running', 'running']);
    expect(await readdir(recordDirectory(first.root))).toEqual([]);
  });
});

const CURRENT = { onTestFinished };

const startOf = async (name: string) => (await inspected(name)).State.StartedAt;

async function restart(name: string): Promise<void> {
  await docker('start', name);
  await docker('stop', name);
}

/** Works until it is aborted. */
function quiesceAborted(quiesce: Awaited<ReturnType<typeof quiesceAttempt>>['quiesce']) {
  return quiesce(
    ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended')))),
  );
}
