import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { drillVolume } from '../../src/drill/drill-volume.js';
import { volumeExists } from '../support/docker-volume.js';
import { holdRestore, holdWalk } from '../support/held-drill.js';
import { drillOf, leftBy } from '../support/volume-drills.js';

test('a drill that was killed while it restored is cleared up by the next one, which leaves those alone that live', async () => {
  const drill = await drillOf('echo one >file');
  const { path, manifest, scratchDir } = drill;
  const killed = await holdRestore();
  const script = fileURLToPath(new URL('../support/volume-drill-process.ts', import.meta.url));
  const args = ['--import', 'tsx', script, JSON.stringify({ path, manifest, scratchDir })];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...args], { stdio: 'inherit' });
  const leftVolume = await killed.volume();
  expect(await leftBy(drill)).toHaveLength(3); // container, volume and directory
  child.kill('SIGKILL');
  await once(child, 'exit');
  vi.unstubAllEnvs();
  const living = await holdWalk();
  const alive = drillVolume(drill);
  const livingVolume = await living.volume();
  vi.unstubAllEnvs();

  expect(await volumeExists(leftVolume)).toBe(false);
  expect((await drillVolume(drill)).outcome).toBe('verified');
  expect(await volumeExists(livingVolume)).toBe(true);
  await living.letGo();
  expect((await alive).outcome).toBe('verified');
  expect(await leftBy(drill)).toEqual([]);
});

test.each([
  ['it restores', holdRestore],
  ['it looks at what was restored', holdWalk],
])('a drill that is aborted while %s leaves nothing, and is no verdict', async (_when, hold) => {
  const stop = new AbortController();
  const drill = { ...(await drillOf('echo one >file')), signal: stop.signal };
  const held = await hold();
  const drilled = expect(drillVolume(drill)).rejects.toMatchObject({ code: 'Cancelled' });
  await held.volume();
  stop.abort();
  if (hold === holdWalk) await held.letGo(); // a container that is being made is made

  await drilled;
  expect(await leftBy(drill)).toEqual([]);
});
