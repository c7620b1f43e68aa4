import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createCatalog } from '../../src/catalog.js';
import type { LocalDestination } from '../../src/destinations/local.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { artifactName, inRun, manifestName } from '../../src/domain/names.js';
import type { VerifyTargetInput } from '../../src/domain/verify-run.js';
import { findTools, type Tools } from '../../src/pipeline/tools.js';
import type { Runtime } from '../../src/runtime.js';
import { verifyTarget } from '../../src/steps/verify-target.js';
import { aManifest } from '../support/manifest.js';
import { factsOf } from '../support/noise-file.js';
import { ownLocal } from '../support/places.js';
import { captureArtifact, loginTo } from '../support/postgres-artifact.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { createSharedDatabase } from '../support/shared-database.js';

const [OLD, NEW] = ['20261124_030000', '20261125_030000'];
const TARGET = 'globals:mordor-5432';
const END = '--\n-- PostgreSQL database cluster dump complete\n--\n';
const GOOD = `CREATE ROLE lord;\nALTER ROLE lord WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS;\n${END}`;
let tools: Tools;
beforeAll(async () => {
  tools = await findTools();
});

/** Puts the same globals into each destination, as a run leaves them there. */
async function place(
  destinations: readonly LocalDestination[],
  run: string,
  sql: string,
  source: Manifest['source'] = { kind: 'globals', host: 'mordor', port: 5432 },
): Promise<string> {
  const bytes = gzipSync(sql);
  const name = artifactName({ target: TARGET, kind: 'globals', run, compression: 'gzip' });
  const path = inRun(run, name);
  const major = Math.max(...(tools.pgServers ?? tools.pgDumps).map((program) => program.major));
  for (const destination of destinations) {
    await destination.createText(path, ''); // makes the directory
    await writeFile(destination.pathOf(path), bytes);
    await createCatalog(destination).commit(
      aManifest({
        ...{ target: TARGET, kind: 'globals', run, source },
        captureStartedAt: run === OLD ? '2026-11-24T03:00:00.000Z' : '2026-11-25T03:00:00.000Z',
        programs: { pg_dumpall: `${String(major)}.0` },
        server: { product: 'PostgreSQL', version: String(major), versionNumber: major * 10_000 },
        artifact: { name, compression: 'gzip', compressionLevel: 6, ...factsOf(bytes) },
      }),
    );
  }
  return path;
}

function verify(
  destinations: readonly LocalDestination[],
  method: 'read' | 'drill',
  run?: string,
  of: Pick<VerifyTargetInput, 'target' | 'kind'> = { target: TARGET, kind: 'globals' },
) {
  const [local] = destinations;
  const runtime = { ...{ local, destinations, tools, config: { backup: {} } }, destination: () => local };
  const id = { service: 'middle-earth', ...of, from: 'local' } as const;
  const step = { signal: new AbortController().signal, onProgress: () => undefined, log: () => undefined };
  return verifyTarget(
    runtime as unknown as Runtime,
    { ...id, method, stallTimeoutMs: 60_000, ...(run !== undefined && { run }) },
    step,
  );
}

/** A database of the test run's server, as a run leaves it. */
async function placeDatabase(local: LocalDestination): Promise<Manifest> {
  const database = await createSharedDatabase(3);
  onTestFinished(() => database.drop());
  const login = await loginTo(inject('postgres') as PostgresServer, database.name);
  const { artifactPath, manifest } = await captureArtifact(login);
  const name = artifactName({ target: 'mordor', kind: 'database', run: NEW, compression: 'gzip' });
  await local.createText(inRun(NEW, name), '');
  await copyFile(artifactPath, local.pathOf(inRun(NEW, name)));
  const placed = aManifest({ ...manifest, run: NEW, artifact: { ...manifest.artifact, name } });
  await createCatalog(local).commit(placed);
  return placed;
}

describe('the verification of a target', () => {
  it('fails where the newest manifest cannot be read, however well an older artifact is', async () => {
    const local = await ownLocal();
    await place([local], OLD, GOOD);
    const newest = await place([local], NEW, GOOD);
    expect(await verify([local], 'read')).toMatchObject({ outcome: 'verified', location: local.pathOf(newest) });
    await writeFile(local.pathOf(manifestName(newest)), '{');
    const location = local.pathOf(manifestName(newest));
    expect(await verify([local], 'read')).toMatchObject({ outcome: 'failed', location });
    expect(await verify([local], 'read', NEW)).toMatchObject({ outcome: 'failed', location });
    expect(await verify([local], 'read', OLD)).toMatchObject({ outcome: 'verified' });
  });

  it('passes over an older manifest that cannot be read', async () => {
    const local = await ownLocal();
    const old = await place([local], OLD, GOOD);
    await place([local], NEW, GOOD);
    await writeFile(local.pathOf(manifestName(old)), '{');
    expect(await verify([local], 'read')).toMatchObject({ outcome: 'verified' });
  });

  it('tells each copy of the same bytes that a drill failed, and those of other bytes nothing', async () => {
    const [one, same, other] = [await ownLocal(), await ownLocal(), await ownLocal()];
    await place([one, same], NEW, `CREATE ROLE lord;\n${GOOD}`);
    await place([other], NEW, GOOD);
    const { outcome, reason } = await verify([one, same, other], 'drill');
    expect({ outcome, reason }).toEqual({ outcome: 'failed', reason: 'ERROR:  role "lord" already exists' });
    const known = async (place: LocalDestination) => (await createCatalog(place).list()).entries[0]?.verification;
    expect((await known(same))?.results).toEqual({ drill: (await known(one))?.results.drill });
    expect(await known(other)).toBeUndefined();
  });

  it('drills a database whose globals have rotted, and says so: they are no damage of the database', async () => {
    const local = await ownLocal();
    const { source } = await placeDatabase(local);
    if (source.kind !== 'database' || !('systemIdentifier' in source)) throw new Error('its server is not known');
    const { systemIdentifier } = source;
    const globals = await place([local], NEW, GOOD, { kind: 'globals', systemIdentifier });
    const bytes = await readFile(local.pathOf(globals));
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    await writeFile(local.pathOf(globals), bytes);
    const result = await verify([local], 'drill', NEW, { target: 'mordor', kind: 'database' });
    expect(result).toMatchObject({
      outcome: 'verified',
      notes: expect.arrayContaining([`those in ${local.pathOf(globals)} are damaged`]) as string[],
    });
  });
});
