import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.js';
import { compareWithArtifact } from '../../src/drill/compare-with-artifact.js';
import type { DumpContents } from '../../src/drill/dump-contents.js';
import { makeRoles, planRoles } from '../../src/drill/prepare-roles.js';
import { readArtifact } from '../../src/drill/read-dump.js';
import { restoreInto, runIn } from '../../src/drill/restore-into.js';
import { findDrillPrograms } from '../../src/drill/server-programs.js';
import { startThrowawayCluster, type ThrowawayCluster } from '../../src/drill/throwaway-cluster.js';
import { drillPlace } from '../support/drills.js';
import { captureArtifact, loginTo } from '../support/postgres-artifact.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

let origin: PostgresServer;
let scratchDir: string;
let cluster: ThrowawayCluster;
let manifest: Manifest;
let artifact: DumpContents;
const { signal } = new AbortController();

beforeAll(async () => {
  scratchDir = await drillPlace();
  origin = await startPostgres();
  await origin.psql('postgres', RICH_ROLES_SQL);
  await origin.psql('postgres', `CREATE DATABASE rich OWNER lord; COMMENT ON DATABASE rich IS 'of old'`);
  await origin.psql('postgres', 'GRANT CREATE ON DATABASE rich TO minstrel; ALTER DATABASE rich CONNECTION LIMIT 5');
  await origin.psql(
    'rich',
    `${RICH_SQL}\nCREATE INDEX angry_realms ON realm (id) WHERE mood = 'angry'; CREATE TABLE twins (a int); INSERT INTO twins VALUES (1), (1), (2), (3)`,
  );
  const login = await loginTo(origin, 'rich');
  const { artifactPath: path, manifest: captured } = await captureArtifact(login, { directory: scratchDir });
  manifest = captured as Manifest;
  const programs = await findDrillPrograms(manifest, login.tools);
  const { tools } = programs;
  artifact = await readArtifact({ path, format: { compression: 'gzip' }, tools }, { signal });
  const planned = await planRoles({ manifest, contents: artifact, tools, signal });
  const { bootstrap } = planned;
  cluster = await startThrowawayCluster({ programs, scratchDir, bootstrap, objectCount: 100, signal });
  await makeRoles(cluster, planned);
  await restoreInto({ cluster, path, manifest, onProgress: () => {} });
});
afterAll(async () => {
  await cluster.remove();
  await origin.stop();
  await rm(scratchDir, { recursive: true });
});

function compare() {
  return compareWithArtifact({ cluster, database: 'rich', manifest, artifact, signal, onProgress: () => {} });
}

test('the order of rows does not count', async () => {
  await runIn(cluster, 'rich', 'UPDATE public.realm SET troops = troops; UPDATE public.twins SET a = a WHERE a = 1');
  expect(await compare()).toEqual({ differences: [], renderings: [] });
});

/** Each with what a drill has to say about it. */
const DAMAGES: readonly (readonly [sql: string, said: string])[] = [
  ['UPDATE public.realm SET troops = 1 WHERE id = 8', 'rows of public.realm: 2000 with other values'],
  [`DELETE FROM public.event WHERE what = 'event 7'`, 'rows of public.event_2025: 29 instead of 30'],
  ['UPDATE public.twins SET a = 2 WHERE a = 1', 'rows of public.twins: 4 with other values'],
  ['DROP INDEX public.angry_realms', 'INDEX public.angry_realms is missing'],
  ['CREATE VIEW public.more AS SELECT 1 AS one', 'VIEW public.more was not there before'],
  ['REVOKE SELECT (id) ON public.realm FROM minstrel', 'ACL public.COLUMN realm.id is missing'],
  ['GRANT UPDATE (name) ON public.realm TO minstrel', 'ACL public.COLUMN realm.name differs in privileges'],
  ['ALTER VIEW public.angry OWNER TO minstrel', 'VIEW public.angry differs in owner'],
  [`COMMENT ON TABLE public.realm IS 'another'`, 'COMMENT public.TABLE realm differs in comment'],
  ['ALTER TABLE public.realm ALTER mood DROP DEFAULT', 'TABLE public.realm differs in definition'],
  ['ALTER TABLE public.realm ALTER tags TYPE varchar[]', 'TABLE public.realm differs in columns'],
  [`SELECT setval('public.muster', 100)`, 'SEQUENCE SET public.muster differs in value'],
  [`SELECT lo_put(oid, 5, 'x') FROM pg_largeobject_metadata`, 'large objects: 1 with other values'],
  ['ALTER TABLE public.realm DISABLE ROW LEVEL SECURITY', 'ROW SECURITY public.realm is missing'],
  ['ALTER POLICY own ON public.realm TO minstrel', 'POLICY public.realm own differs in roles'],
  ['ALTER POLICY strict ON public.realm USING (id > 0)', 'POLICY public.realm strict differs in definition'],
  [
    `CREATE OR REPLACE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    'FUNCTION public.stamp() differs in definition',
  ],
  [
    'CREATE OR REPLACE VIEW public.angry AS SELECT id, name FROM public.realm',
    'VIEW public.angry differs in definition',
  ],
  [`ALTER TYPE public.mood ADD VALUE 'sad'`, 'TYPE public.mood differs in definition'],
  ['ALTER TABLE public.realm DROP CONSTRAINT realm_name_key', 'CONSTRAINT public.realm realm_name_key is missing'],
  [
    'ALTER DEFAULT PRIVILEGES FOR ROLE lord GRANT UPDATE ON TABLES TO minstrel',
    'DEFAULT ACL DEFAULT PRIVILEGES FOR TABLES differs in privileges',
  ],
  ['ALTER EVENT TRIGGER watch DISABLE', 'EVENT TRIGGER watch differs in definition'],
  ['ALTER DATABASE rich CONNECTION LIMIT 6', 'the database differs in connectionLimit'],
  ['REVOKE CREATE ON DATABASE rich FROM minstrel', 'the database differs in acl'],
  [`COMMENT ON DATABASE rich IS 'of new'`, 'the database differs in comment'],
  [`ALTER DATABASE rich SET work_mem = '8MB'`, 'the database differs in settings'],
];

test('each damage to what was restored is found, and nothing else', async () => {
  for (const [sql] of DAMAGES) await runIn(cluster, 'rich', sql);
  const { differences, renderings } = await compare();
  expect(differences.sort()).toEqual(DAMAGES.map(([, said]) => said).sort());
  expect(renderings).toEqual([]);
});
