import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { QuiescePolicy, VolumeTarget } from '../../src/domain/target.js';
import { findTools, type Tools } from '../../src/pipeline/tools.js';
import type { Runtime } from '../../src/runtime.js';
import { captureTarget } from '../../src/steps/capture.js';
import { aTarget } from '../support/a-plan.js';
import { insideVolume } from '../support/docker-volume.js';
import { ownLocal } from '../support/places.js';
import { docker, ownContainer, statusOf } from '../support/resting-container.js';
import { filledVolume } from '../support/volume-attempt.js';

const CURRENT = { onTestFinished };
const RUN = '20261124_030000';
const LIVE = 'echo 17 >PG_VERSION; echo 1 >postmaster.pid; echo one >file';
/** As a server does that ends: by its end the pid file is gone. */
const SERVER = `trap 'rm /data/postmaster.pid; exit 0' TERM; touch /data/postmaster.pid; while :; do sleep 60 & wait $!; done`;

let tools: Tools;
beforeAll(async () => {
  tools = await findTools();
});

/** A volume that looks like a data directory, and two containers that use it. */
async function inUse(): Promise<{ volume: string; users: [string, string] }> {
  const volume = await filledVolume('live', LIVE);
  const user = () => ownContainer(CURRENT, ['--volume', `${volume}:/data`], SERVER);
  return { volume, users: [await user(), await user()] };
}

async function capture(place: { volumeName: string } | { path: string }, quiesce?: QuiescePolicy) {
  const local = await ownLocal();
  const log: string[] = [];
  const runtime = {
    ...{ local, tools, destinations: [local], destination: () => local },
    config: { host: 'default', backup: {} },
  } as unknown as Runtime;
  const { connection: _connection, ...common } = aTarget('files');
  const target: VolumeTarget = { ...common, kind: 'volume', ...place, ...(quiesce && { quiesce }) };
  const step = {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    log: (line: string) => void log.push(line),
  };
  const input = { service: 'middle-earth', run: RUN, target, stallTimeoutMs: 60_000 };
  const { warnings, artifact } = await captureTarget(runtime, input, step);
  const manifest = await createCatalog(local).get(RUN, artifact);
  return { warnings, manifest, log };
}

const policy = (how: QuiescePolicy['how'], ...containers: string[]) => ({ how, containers, maxDowntimeMs: 600_000 });
const HOT = expect.stringContaining('looks like the data directory of a running PostgreSQL server') as string;

describe.each(['named', 'mounted'] as const)('a live data directory in a %s volume', (kind) => {
  it('is a hot copy until all its users are at rest, which the manifest says', async () => {
    const { volume, users } = await inUse();
    const inside = await insideVolume(volume);
    const place = kind === 'named' || !('directory' in inside) ? { volumeName: volume } : { path: inside.directory };

    const half = await capture(place, policy('pause', users[0]));
    expect(half.warnings).toEqual([HOT]);
    expect(half.warnings[0]).toContain(users[1]);
    expect(half.warnings[0]).not.toContain(users[0]);

    const paused = await capture(place, policy('pause', ...users));
    expect(paused.warnings).toEqual([]);
    expect(paused.manifest?.quiesced).toMatchObject({ how: 'pause', containers: users });

    await docker('stop', users[1]);
    const stopped = await capture(place, policy('stop', ...users));
    expect(stopped.warnings).toEqual([]);
    expect(stopped.manifest?.quiesced).toMatchObject({ how: 'stop', containers: [users[0]] });
    expect(await statusOf(...users)).toEqual(['running', 'exited']);
    const [back, proved] = ['back', 'proving'].map((word) => stopped.log.findIndex((line) => line.includes(word)));
    expect(back).toBeGreaterThan(-1);
    expect(back).toBeLessThan(proved ?? -1); // they do not wait for the proof
  });
});
