import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.js';
import { drillDatabase } from '../../src/drill/drill-database.js';
import { captureArtifact, loginTo, type Artifact } from '../support/postgres-artifact.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

let origin: PostgresServer;
let directory: string;
let artifact: Artifact;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drills-'));
  origin = await startPostgres();
  await origin.psql('postgres', RICH_ROLES_SQL);
  await origin.psql('postgres', 'CREATE DATABASE rich OWNER lord');
  await origin.psql('rich', RICH_SQL);
  artifact = await captureArtifact(await loginTo(origin, 'rich'), { directory });
});
afterAll(async () => {
  await origin.stop();
  await rm(directory, { recursive: true });
});

test('what was backed up comes back', async () => {
  const { tools } = await loginTo(origin, 'rich');
  const result = await drillDatabase({
    path: artifact.artifactPath,
    manifest: artifact.manifest as Manifest,
    tools,
    scratchDir: tmpdir(),
    signal: new AbortController().signal,
    onProgress: () => {},
    log: () => {},
  });
  expect(result.outcome).toBe('verified');
  expect((await readdir(tmpdir())).filter((name) => name.startsWith('.drill-'))).toEqual([]);
});
