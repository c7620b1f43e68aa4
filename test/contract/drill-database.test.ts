import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drill } from '../support/drills.js';
import { captureArtifact, loginTo, type Artifact } from '../support/postgres-artifact.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

let origin: PostgresServer;
let directory: string;
let artifact: Artifact;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drills-'));
  await chmod(directory, 0o755); // the server's user has to get there
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

test('without globals, roles are made by their names', async () => {
  const { tools } = await loginTo(origin, 'rich');
  expect(await drill(artifact, tools, { scratchDir: directory })).toEqual({
    outcome: 'verified',
    notes: ['there are no globals of that run: roles were made by their names alone'],
    restoreMs: expect.any(Number) as number,
  });
  expect((await readdir(directory)).filter((name) => name.startsWith('.drill-'))).toEqual([]);
});
