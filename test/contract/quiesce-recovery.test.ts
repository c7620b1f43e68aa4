import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runChecks } from '../../src/doctor/check.js';
import { quiescedCheck } from '../../src/doctor/quiesced-check.js';
import { currentBootId, listRecords } from '../../src/sources/quiesce/record.js';
import { recoverQuiesced } from '../../src/sources/quiesce/recovery.js';
import type { OwnTest } from '../support/own-parts.js';
import { quiesceAttempt, recordsIn } from '../support/quiescing.js';
import { aRecord, docker, ownContainer, statusOf, writeLostRecord } from '../support/resting-container.js';
import { testDirectory } from '../support/volume-attempt.js';

const CURRENT = { onTestFinished };
const whose = 'which the capture of files (run 20261124_030000) had brought down';

/** They run before each test and after it. */
let [one, other]: [string, string] = ['', ''];
beforeAll(async () => {
  const endings: (() => unknown)[] = [];
  const scope = { onTestFinished: (ending: () => unknown) => void endings.push(ending) } as OwnTest;
  [one, other] = [await ownContainer(scope), await ownContainer(scope)];
  return async () => {
    for (const end of endings) await end();
  };
});

/** What one look told. */
async function look(root: string): Promise<{ info: string[]; errors: string[] }> {
  const told = { info: [] as string[], errors: [] as string[] };
  await recoverQuiesced({ root, info: (line) => told.info.push(line), error: (line) => told.errors.push(line) });
  return told;
}

async function doctorOn(root: string) {
  const [finding] = await runChecks({ checks: [quiescedCheck(root)], timeoutMs: 60_000, redact: (text) => text });
  return finding;
}

describe('what a capture left down that has no living process', () => {
  it('is started again after a reboot, the last one first, and its record goes', async () => {
    const root = await testDirectory();
    await docker('stop', one, other);
    await writeLostRecord(root, await aRecord([one, other]));
    expect(await look(root)).toEqual({ info: [`${other} runs, ${whose}`, `${one} runs, ${whose}`], errors: [] });
    expect(await statusOf(one, other)).toEqual(['running', 'running']);
    expect(await recordsIn(root)).toEqual([]);
    expect(await look(root)).toEqual({ info: [], errors: [] });
  });

  it('goes on where it was paused, and starts where a reboot ended it', async () => {
    const root = await testDirectory();
    await docker('pause', one);
    await docker('stop', other);
    const bootId = await currentBootId();
    await writeLostRecord(root, await aRecord([one, other], { how: 'pause', bootId }));
    await look(root);
    expect(await statusOf(one, other)).toEqual(['running', 'running']);
    expect(await recordsIn(root)).toEqual([]);
  });

  it('is waited for where the dead process had only asked for its stop', async () => {
    const root = await testDirectory();
    const bootId = await currentBootId();
    await writeLostRecord(root, await aRecord([one], { bootId }));
    expect(await look(root)).toEqual({ info: [], errors: [] });
    expect(await recordsIn(root)).toMatchObject([{ abandonedAt: expect.any(String) as string }]);
    await docker('stop', one);
    expect(await look(root)).toEqual({ info: [`${one} runs, ${whose}`], errors: [] });
    expect(await statusOf(one)).toEqual(['running']);
    expect(await recordsIn(root)).toEqual([]);
  });

  it('is forgotten where no stop comes for longer than one can take', async () => {
    const root = await testDirectory();
    const abandonedAt = new Date(Date.now() - 600_000).toISOString();
    await writeLostRecord(root, await aRecord([one], { bootId: await currentBootId(), abandonedAt }));
    await look(root);
    expect(await recordsIn(root)).toEqual([]);
  });

  it('is told and forgotten where somebody removed it', async () => {
    const root = await testDirectory();
    const gone = await ownContainer(CURRENT);
    await writeLostRecord(root, await aRecord([gone]));
    await docker('rm', '--force', gone);
    expect(await look(root)).toEqual({ info: [`${gone} was removed, ${whose}: it is forgotten`], errors: [] });
    expect(await recordsIn(root)).toEqual([]);
  });

  it('keeps its record while it cannot start, is tried at each look, and doctor shows it', async () => {
    const root = await testDirectory();
    const needed = join(root, 'needed');
    await mkdir(needed);
    const broken = await ownContainer(CURRENT, ['--mount', `type=bind,source=${needed},target=/needed`]);
    await docker('stop', broken, one);
    await rename(needed, `${needed}.away`);
    await writeLostRecord(root, await aRecord([one, broken]));

    const failed = [expect.stringMatching(`^cannot bring back ${broken}, ${regExp(whose)}: because .*needed`)];
    expect(await look(root)).toEqual({ info: [`${one} runs, ${whose}`], errors: failed });
    expect((await look(root)).errors).toEqual(failed);
    expect(await doctorOn(root)).toMatchObject({
      ok: false,
      message: expect.stringContaining(`${one}, ${broken} down for the capture of files`) as string,
    });
    await rename(`${needed}.away`, needed);
    expect((await look(root)).errors).toEqual([]);
    expect(await statusOf(broken)).toEqual(['running']);
    expect(await doctorOn(root)).toMatchObject({ ok: true, message: 'no container is down for a capture' });
  });

  it('is told where its record is torn, and others come back', async () => {
    const root = await testDirectory();
    await docker('stop', one);
    const torn = await writeLostRecord(root, JSON.stringify(await aRecord([one])).slice(0, 100));
    await writeLostRecord(root, await aRecord([one]));
    const { info, errors } = await look(root);
    expect(info).toEqual([`${one} runs, ${whose}`]);
    expect(errors).toEqual([expect.stringContaining(`because ${torn} is damaged`)]);
    expect(await doctorOn(root)).toMatchObject({ ok: false, message: expect.stringContaining(torn) as string });
    await rm(torn);
  });

  it('is not what a living one has down', async () => {
    const { quiesce, root } = await quiesceAttempt({ containers: [one] });
    await quiesce(async () => {
      expect(await look(root)).toEqual({ info: [], errors: [] });
      expect(await statusOf(one)).toEqual(['exited']);
      expect(await doctorOn(root)).toMatchObject({ ok: true, message: expect.stringContaining(one) as string });
    });
  });

  it('comes back where a living one has it down for much longer than it may, and that one touches it no more', async () => {
    const { quiesce, root } = await quiesceAttempt({ how: 'pause', containers: [one] });
    const hung = quiesce(async () => {
      const [found] = await listRecords(root);
      await writeFile(found?.path ?? '', JSON.stringify({ ...found?.record, until: new Date(0).toISOString() }));
      await look(root);
      expect(await statusOf(one)).toEqual(['running']);
      await docker('pause', one); // by the next capture, say
    });
    await expect(hung).rejects.toMatchObject({ code: 'Conflict' });
    expect(await statusOf(one)).toEqual(['paused']);
    await docker('unpause', one);
  });
});

function regExp(text: string): string {
  return text.replace(/[()]/g, '\\$&');
}
