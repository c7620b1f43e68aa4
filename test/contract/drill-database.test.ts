import { readdir, rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { changedArtifact, drill, drillPlace, dumpGlobals } from '../support/drills.js';
import { captureArtifact, loginTo, type Artifact } from '../support/postgres-artifact.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { findPostgresServers, type Tools } from '../../src/pipeline/tools.js';

let origin: PostgresServer;
let tools: Tools;
let scratchDir: string;
let artifact: Artifact;

/** What a drill's server has by itself is nothing of this. */
const SETTINGS = { timezone: 'Asia/Tokyo', bytea_output: 'escape', quote_all_identifiers: 'on' };

beforeAll(async () => {
  scratchDir = await drillPlace();
  origin = await startPostgres({ settings: SETTINGS });
  await origin.psql('postgres', RICH_ROLES_SQL);
  await origin.psql('postgres', 'CREATE DATABASE rich OWNER lord CONNECTION LIMIT 5');
  await origin.psql('rich', RICH_SQL);
  const login = await loginTo(origin, 'rich');
  artifact = await captureArtifact(login, { directory: scratchDir });
  ({ tools } = login);
});
afterAll(async () => {
  await origin.stop();
  await rm(scratchDir, { recursive: true });
});
afterEach(async () => {
  expect((await readdir(scratchDir)).filter((name) => name.startsWith('.drill-'))).toEqual([]);
});

const END = '--\n-- PostgreSQL database dump complete';

test('without globals, roles are made by their names', async () => {
  const moved: number[] = [];
  expect(await drill(artifact, tools, { scratchDir, onProgress: (bytes) => moved.push(bytes) })).toEqual({
    outcome: 'verified',
    notes: ['there are no globals of that run: roles were made by their names alone'],
    restoreMs: expect.any(Number) as number,
  });
  expect(moved).toEqual([...moved].sort((one, other) => one - other));
  expect(moved.at(-1)).toBeGreaterThan(artifact.manifest.artifact.sizeBytes);
});

test('a dump in custom format comes back too', async () => {
  const login = await loginTo(origin, 'rich');
  const custom = await captureArtifact(login, { dumpFormat: 'custom' });
  expect(custom.manifest.artifact).toMatchObject({ dumpFormat: 'custom' });
  expect(await drill(custom, tools, { scratchDir })).toMatchObject({ outcome: 'verified' });
});

test('a restore that comes to other rows fails', async () => {
  const damaged = await changedArtifact(artifact, (sql) =>
    sql.replace(END, `UPDATE public.realm SET mood = NULL WHERE id = 8;\n${END}`),
  );
  expect(await drill(damaged, tools, { scratchDir })).toMatchObject({
    outcome: 'failed',
    reason: expect.stringContaining('rows of public.realm: 2000 with other values') as string,
  });
});

test('a role that the globals lack fails it', async () => {
  const globalsPath = await dumpGlobals(origin, (sql) => sql.replaceAll(/^.*\bminstrel\b.*$/gm, ''));
  expect(await drill(artifact, tools, { scratchDir, globalsPath })).toEqual({
    outcome: 'failed',
    reason: 'the server lacks the role "minstrel"',
    notes: [],
  });
});

test('globals that do not run fail it, and their secrets are not told', async () => {
  const globalsPath = await dumpGlobals(origin, (sql) => `${sql}\nALTER ROLE nobody_here PASSWORD 'kanarie';\n`);
  const result = await drill(artifact, tools, { scratchDir, globalsPath });
  expect(result).toMatchObject({ outcome: 'failed', reason: 'ERROR:  role "nobody_here" does not exist' });
});

test('an artifact that does not restore fails, and what it holds is not told', async () => {
  const damaged = await changedArtifact(artifact, (sql) => sql.replace(END, `INSERT INTO kanarie VALUES (1);\n${END}`));
  expect(await drill(damaged, tools, { scratchDir })).toMatchObject({
    outcome: 'failed',
    reason: 'ERROR:  relation "kanarie" does not exist',
  });
});

test.each([
  ['CREATE EXTENSION postgis;', 'the extension postgis is not installed here'],
  [
    `CREATE FUNCTION public.f() RETURNS int LANGUAGE c AS '$libdir/nowhere', 'f';`,
    'the library $libdir/nowhere is not installed here',
  ],
  [`CREATE COLLATION public.c (LOCALE = 'tlh_QO');`, 'the locale tlh_QO is not installed here'],
])('%s is no verdict where that is missing here', async (statement, reason) => {
  const needy = await changedArtifact(artifact, (sql) => sql.replace(END, `${statement}\n${END}`));
  expect(await drill(needy, tools, { scratchDir })).toMatchObject({ outcome: 'unverified', reason });
});

test('without a server of that major there is no verdict', async () => {
  const others = (await findPostgresServers()).filter(({ major }) => major !== origin.major);
  const other = { ...tools, pgServers: others };
  const major = String(origin.major);
  expect(await drill(artifact, other, { scratchDir })).toEqual({
    outcome: 'unverified',
    reason: `there is no server of PostgreSQL ${major} here (install the package postgresql-${major})`,
    notes: [],
  });
});

test('without the pg_dump that made the artifact there is no verdict', async () => {
  const older = { ...artifact, manifest: { ...artifact.manifest, programs: { pg_dump: '99.1' } } };
  expect(await drill(older, tools, { scratchDir })).toMatchObject({
    outcome: 'unverified',
    reason: 'there is no pg_dump of PostgreSQL 99 here',
  });
});
