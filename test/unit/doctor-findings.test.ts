import { mkdir, mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { Config } from '../../src/config/config.js';
import type { Destination } from '../../src/destinations/destination.js';
import { createLocalDestination, type LocalDestination } from '../../src/destinations/local.js';
import { runChecks, type Check, type Finding } from '../../src/doctor/check.js';
import { configChecks } from '../../src/doctor/config-checks.js';
import { directoryChecks } from '../../src/doctor/directory-checks.js';
import { s3Checks } from '../../src/doctor/s3-checks.js';
import type { Runtime } from '../../src/runtime.js';
import { databaseEntry, fileOf, loadText } from '../support/config-file.js';
import { aManifest } from '../support/manifest.js';

async function newDirectory(): Promise<LocalDestination> {
  const root = await mkdtemp(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return createLocalDestination({ root });
}

/** Of a runtime the checks look at no more than this. */
function aRuntime(parts: { config: Config; local?: LocalDestination; destinations?: Destination[] }): Runtime {
  return parts as unknown as Runtime;
}

async function findingOf(checks: readonly Check[], name: string): Promise<Finding | undefined> {
  const chosen = checks.filter(({ check }) => check === name);
  const [finding] = await runChecks({ checks: chosen, timeoutMs: 60_000, redact: (text) => text });
  return finding;
}

describe('doctor', () => {
  it('compares the free space with what the newest artifacts of enabled targets take', async () => {
    const local = await newDirectory();
    const config = await loadText(fileOf({ databases: [databaseEntry('mordor')] }));
    const space = () =>
      findingOf(
        directoryChecks({ runtime: aRuntime({ config, local }), expectedId: Promise.resolve(undefined) }),
        'space',
      );
    expect(await space()).toMatchObject({ ok: true, message: expect.stringMatching(/free, .* 0.0 GiB$/) as string });

    await placeSparse(local, 8 * 1024 ** 4, '20241102_030000');
    expect(await space()).toMatchObject({
      ok: false,
      message: expect.stringContaining('the newest artifacts take 8192.0 GiB') as string,
      hint: expect.stringContaining('backupctl prune') as string,
    });
    await placeSparse(local, 1024, '20241103_030000');
    expect(await space()).toMatchObject({ ok: true });
  });

  it('shows what a killed restore left, but not what one may be using', async () => {
    const local = await newDirectory();
    const config = await loadText(fileOf({}));
    const leftovers = () =>
      findingOf(
        directoryChecks({ runtime: aRuntime({ config, local }), expectedId: Promise.resolve(undefined) }),
        'leftovers',
      );
    const [old, young] = [join(local.root, '.restore-old'), join(local.root, '.restore-young')];
    await mkdir(young);
    expect(await leftovers()).toMatchObject({ ok: true });
    await mkdir(old);
    await utimes(old, 0, 0);
    expect(await leftovers()).toMatchObject({ ok: false, hint: `where no restore is going on: rm -r ${old}` });
  });

  it('notices a store that gives back other bytes, or keeps what was removed', async () => {
    const local = await newDirectory();
    const config = await loadText(fileOf({ backup: { s3_bucket: 'b' } }));
    const object = (changes: Partial<Destination>) =>
      findingOf(s3Checks(aRuntime({ config, destinations: [{ ...local, kind: 's3', ...changes }] })), 'object');
    expect(await object({})).toMatchObject({ ok: true });
    expect(await object({ readText: () => Promise.resolve('stale') })).toMatchObject({
      ok: false,
      message: expect.stringContaining('other bytes') as string,
    });
    expect(await local.list()).toEqual([]);
    expect(await object({ remove: () => Promise.resolve() })).toMatchObject({
      ok: false,
      message: expect.stringContaining('still shows') as string,
    });
  });

  it('tells of each entry with an error what to do', async () => {
    const two = { port: '${A}', host: '${B}' };
    const config = await loadText(
      fileOf({ databases: [databaseEntry('one', { port: '${A}' }), databaseEntry('two', two)] }),
    );
    const findings = await runChecks({ checks: configChecks(config), timeoutMs: 60_000, redact: (text) => text });
    const [, one, both] = findings;
    expect(one).toMatchObject({ subject: 'one', ok: false, hint: expect.stringContaining('set A') as string });
    expect(one?.message).not.toContain('HINT');
    expect(both?.message.match(/HINT: /g)).toHaveLength(2);
  });
});

/** An artifact that takes no space and says that it does. */
async function placeSparse(local: LocalDestination, sizeBytes: number, run: string): Promise<void> {
  const { artifact, ...manifest } = aManifest({
    run,
    captureStartedAt: `${run.slice(0, 4)}-11-${run.slice(6, 8)}T03:00:00.000Z`,
  });
  await local.createText(`${run}/run.json`, '{}'); // makes the directory
  const path = local.pathOf(`${run}/${artifact.name}`);
  await writeFile(path, '');
  await truncate(path, sizeBytes);
  await createCatalog(local).commit({ ...manifest, artifact: { ...artifact, sizeBytes } });
}
