import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseTableName } from '../../src/domain/table-names.js';
import { restoreDatabase } from '../../src/sources/postgres/restore.js';
import { captureArtifact, databasesOf, loginTo, restoreInput, type Artifact } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { failureOf } from '../support/postgres-trouble.js';

const CONTENT = String.raw`
CREATE TABLE realm (id int PRIMARY KEY, name text); INSERT INTO realm VALUES (1, E'COPY public.orc (id) FROM stdin;\n\\.\n'), (2, 'gondor');
CREATE TABLE orc (id serial PRIMARY KEY, realm int CONSTRAINT home REFERENCES realm, boss int REFERENCES orc);
COMMENT ON CONSTRAINT home ON orc IS 'where it lives'; INSERT INTO orc (realm) SELECT 1 FROM generate_series(1, 40);
CREATE SCHEMA shire; CREATE TABLE shire."Odd, ""name""" (n int); INSERT INTO shire."Odd, ""name""" SELECT generate_series(1, 7);
CREATE TABLE shire.realm (n int); INSERT INTO shire.realm VALUES (1);
CREATE TABLE log (at date, text text, orc int REFERENCES orc) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY RANGE (at);
CREATE TABLE log_2a PARTITION OF log_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO log VALUES ('2026-01-05', 'a', 1), ('2026-02-05', 'b', 2), ('2026-02-06', 'c', 3);
CREATE TABLE old (n int); CREATE TABLE older (m int) INHERITS (old); INSERT INTO old VALUES (1); INSERT INTO older VALUES (2, 2);
CREATE MATERIALIZED VIEW many AS SELECT count(*) AS c FROM orc;
SELECT lo_from_bytea(42, 'precious'); GRANT SELECT ON LARGE OBJECT 42 TO PUBLIC; COMMENT ON LARGE OBJECT 42 IS 'the one';
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'COPY x FROM stdin;' $$;`;

/** Each table with its own rows, a line each. */
const COUNTS = String.raw`SELECT format('SELECT %L || ''='' || count(*) FROM ONLY %s', t, t)
  FROM (SELECT oid::regclass::text COLLATE "C" AS t FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('public', 'shire')) x
  ORDER BY t \gexec`;

describe.each([
  [15, 'plain'],
  [18, 'custom'],
] as const)('parts of a dump of PostgreSQL %i in %s format', (major, dumpFormat) => {
  let server: PostgresServer;
  let artifact: Artifact;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'parts-'));
    server = await startPostgres({ major });
    await server.psql('postgres', 'CREATE DATABASE mordor');
    await server.psql('mordor', CONTENT);
    artifact = await captureArtifact(await loginTo(server, 'mordor'), {
      directory,
      ...(dumpFormat === 'custom' && { dumpFormat }),
    });
  });
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  async function parts(tables: string[], schemas: string[] = [], noOwner = false) {
    const into = `part_${randomBytes(3).toString('hex')}`;
    const input = restoreInput(await loginTo(server, 'postgres'), artifact, { into, noOwner });
    onTestFinished(async () => void (await server.psql('postgres', `DROP DATABASE IF EXISTS ${into}`)));
    const { warnings } = await restoreDatabase({ ...input, wanted: { tables: tables.map(parseTableName), schemas } });
    const rows = (await server.psql(into, COUNTS)).split('\n').filter((each) => !each.endsWith('=0'));
    return { into, warnings, rows };
  }

  it('brings every definition, and the rows of one table alone; keys that would dangle are left out and told', async () => {
    const { into, rows, warnings } = await parts(['orc']);
    expect(rows).toEqual(['orc=40']);
    expect(warnings).toEqual([
      'left out the rows of 7 other tables',
      'left out 1 large object',
      '1 materialized view made from what the tables have now',
      'left out the foreign key home of public.orc: the rows of public.realm, which it points to, are not restored',
    ]);
    const keys = `SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0`;
    expect(await server.psql(into, keys)).toBe('log_orc_fkey orc_boss_fkey');
    expect(await server.psql(into, `SELECT nextval('orc_id_seq'), f(), (SELECT c FROM many)`)).toBe(
      '41|COPY x FROM stdin;|40',
    );
    expect(await server.psql(into, 'SELECT count(*) FROM pg_largeobject_metadata')).toBe('0');
  });

  it.each([
    ['two tables, whose key holds then', ['orc', 'public.realm'], [], ['orc=40', 'realm=2']],
    ['a name in every schema', ['realm'], [], ['realm=2', 'shire.realm=1']],
    ['a schema', [], ['shire'], ['shire."Odd, ""name"""=7', 'shire.realm=1']],
    ['an odd name', ['shire."Odd, ""name"""'], [], ['shire."Odd, ""name"""=7']],
    ['all partitions of a table, and theirs', ['log'], [], ['log_1=1', 'log_2a=2']],
    ['a partition', ['log_2a'], [], ['log_2a=2']],
    ['what inherits', ['old'], [], ['old=1', 'older=1']],
  ])('brings %s', async (_what, tables, schemas, expected) => {
    expect((await parts(tables, schemas)).rows).toEqual(expected);
  });

  it('also where everything belongs to who restores', async () => {
    const { rows, warnings } = await parts(['public.realm'], [], true);
    expect(rows).toEqual(['realm=2']);
    expect(warnings.join('\n')).toMatch(/left out \d+ statements about owners[^]*left out the rows of 7 other tables/);
  });

  it.each([
    [
      ['rings'],
      [],
      'table rings',
      'it has public.log, public.log_1, public.log_2, public.log_2a, public.old, public.older, public.orc, public.realm and 2 more',
    ],
    [['ork'], [], 'table ork', 'did you mean public.orc?'],
    [['mordor.orc'], [], 'table mordor.orc', 'did you mean public.orc?'],
    [[], ['shiere'], 'schema with tables called "shiere"', 'did you mean shire?'],
  ])(
    'has none of %j %j: an error that names it and what is near, and nothing is left',
    async (tables, schemas, what, hint) => {
      const before = await databasesOf(server);
      const error = await failureOf(parts(tables, schemas));
      expect(error).toMatchObject({
        code: 'NotFound',
        message: `cannot restore target: because its dump has no ${what}`,
      });
      expect(error.hint).toBe(hint);
      expect(await databasesOf(server)).toEqual(before);
    },
  );
});
