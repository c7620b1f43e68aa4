import { beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { Destination } from '../../src/destinations/destination.js';
import type { LocalDestination } from '../../src/destinations/local.js';
import { BackupError } from '../../src/domain/errors.js';
import type { CapturedArtifact } from '../../src/domain/steps.js';
import type { DatabaseTarget } from '../../src/domain/target.js';
import { findTools, type Tools } from '../../src/pipeline/tools.js';
import type { Runtime } from '../../src/runtime.js';
import { captureTarget } from '../../src/steps/capture.js';
import { pruneDestination } from '../../src/steps/prune.js';
import { aTarget } from '../support/a-plan.js';
import { ownLocal } from '../support/places.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { psql } from '../support/shared-postgres.js';

const SERVICE = 'middle-earth';
let tools: Tools;
let database: SharedDatabase;

beforeAll(async () => {
  tools = await findTools();
});
beforeEach(async () => {
  const made = await createSharedDatabase(2_000);
  database = made;
  onTestFinished(made.drop);
});

function targetWith(limits: Pick<DatabaseTarget, 'minSizeBytes' | 'maxShrinkPercent'>): DatabaseTarget {
  const { host, port, user } = inject('postgres');
  const connection = { host, port, user, database: database.name };
  return { ...aTarget('mordor'), retentionCount: 1, connection, ...limits };
}

interface Night {
  run: string;
  target: DatabaseTarget;
  local: LocalDestination;
  others?: Destination[];
}

/** One night: a capture and its prune, as the activities do them. */
async function night({ run, target, local, others = [] }: Night): Promise<CapturedArtifact & { log: string[] }> {
  const log: string[] = [];
  const runtime = {
    ...{ local, tools, destinations: [local, ...others], destination: () => local },
    config: { host: 'default', backup: {}, passwordOf: () => inject('postgres').password },
  } as unknown as Runtime;
  const step = {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    log: (line: string) => void log.push(line),
  };
  const captured = await captureTarget(runtime, { service: SERVICE, run, target, stallTimeoutMs: 60_000 }, step);
  const { name, kind, host, retentionCount } = target;
  const brought = { target: name, kind, host, source: captured.source, retentionCount, brought: { local: 1 } };
  await pruneDestination(runtime, { service: SERVICE, run, destination: 'local', targets: [brought] }, step);
  return { ...captured, log };
}

const keptIn = async (local: Destination) =>
  (await createCatalog(local).list()).entries.map(
    ({ manifest: m }) => m.run.slice(-1) + (m.suspicious === undefined ? '' : ` suspicious ${m.suspicious.inARow}`),
  );
const runOf = (n: number) => `20261124_03000${n}`;

test('a database that lost most of its rows takes the last good artifact from nobody, until it stays so', async () => {
  const [local, target] = [await ownLocal(), targetWith({ maxShrinkPercent: 50 })];
  expect((await night({ run: runOf(1), target, local })).warnings).toEqual([]);
  await psql(database.name, 'DELETE FROM rings WHERE id > 20');
  const { warnings, artifact } = await night({ run: runOf(2), target, local });
  const why =
    /^suspicious: it has .*, 9\d\.\d% less than the .* of run 20261124_030001; no older artifact goes for it$/;
  expect(warnings).toEqual([expect.stringMatching(why)]);
  expect((await createCatalog(local).get(runOf(2), artifact))?.warnings).toEqual(warnings);
  expect(await keptIn(local)).toEqual(['2 suspicious 1', '1']);
  await night({ run: runOf(3), target, local });
  await night({ run: runOf(4), target, local });
  expect(await keptIn(local)).toEqual(['4 suspicious 3', '1']);
  expect((await night({ run: runOf(5), target, local })).warnings).toEqual([]);
  expect(await keptIn(local)).toEqual(['5']);
});

test('a database smaller than min_size is suspicious at its first capture', async () => {
  const local = await ownLocal();
  const { warnings } = await night({ run: runOf(1), target: targetWith({ minSizeBytes: 1e6 }), local });
  expect(warnings).toEqual([expect.stringMatching(/^suspicious: it has .* KiB, less than min_size; /)]);
});

test('where the directory has none to compare with, another destination is asked, and one that is away costs nothing', async () => {
  const [shared, local, empty] = [await ownLocal(), await ownLocal(), await ownLocal()];
  const target = targetWith({ maxShrinkPercent: 50 });
  await night({ run: runOf(1), target, local: shared });
  await psql(database.name, 'DELETE FROM rings WHERE id > 20');
  expect((await night({ run: runOf(2), target, local, others: [shared] })).warnings).toHaveLength(1);

  const list = () => Promise.reject(new BackupError('ServerUnreachable', 'cannot list: because it is away'));
  const away = { kind: 's3', location: 's3://away', list } as unknown as Destination;
  const { warnings, log } = await night({ run: runOf(3), target, local: empty, others: [away] });
  expect(warnings).toEqual([]);
  expect(log).toContain('mordor: its size is not compared with those in s3://away: cannot list: because it is away');
});
