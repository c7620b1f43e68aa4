import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  captureArtifact,
  contentOf,
  databasesOf,
  loginTo,
  restore,
  type Artifact,
} from '../support/postgres-artifact.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

const OWNERS = `
  SELECT DISTINCT pg_get_userbyid(owner) FROM (
    SELECT relowner FROM pg_class UNION SELECT proowner FROM pg_proc UNION SELECT typowner FROM pg_type
    UNION SELECT nspowner FROM pg_namespace WHERE nspname <> 'public' UNION SELECT lomowner FROM pg_largeobject_metadata
    UNION SELECT datdba FROM pg_database WHERE datname = current_database()
  ) o (owner)`;
const POLICIES = 'SELECT polname, polroles::regrole[] FROM pg_policy ORDER BY 1';

describe.each([undefined, 18])('on PostgreSQL %s', (major) => {
  let origin: PostgresServer;
  let elsewhere: PostgresServer;
  let artifact: Artifact;
  let directory: string;
  let withoutOwners: Record<string, string>;

  beforeAll(async () => {
    const options = major === undefined ? {} : { major };
    [origin, elsewhere] = [await startPostgres(options), await startPostgres(options)];
    await origin.psql('postgres', RICH_ROLES_SQL);
    await origin.psql('postgres', 'CREATE DATABASE rich OWNER lord');
    await origin.psql('rich', RICH_SQL);
    await origin.psql(
      'postgres',
      `REVOKE CONNECT ON DATABASE rich FROM PUBLIC; GRANT CONNECT ON DATABASE rich TO minstrel`,
    );
    await origin.psql('postgres', `ALTER ROLE minstrel IN DATABASE rich SET work_mem TO '8MB'`);
    directory = await mkdtemp(join(tmpdir(), 'owners-'));
    artifact = await captureArtifact(await loginTo(origin, 'rich'), { directory });
    const { schema: _schema, ...content } = await contentOf(origin, 'rich');
    withoutOwners = content;
  });
  afterAll(() => Promise.all([origin.stop(), elsewhere.stop(), rm(directory, { recursive: true })]));

  test('roles that the server lacks are named before anything is touched', async () => {
    const login = await loginTo(elsewhere, 'rich');
    await expect(restore(login, artifact, { into: 'rich' })).rejects.toMatchObject({
      code: 'NotFound',
      message: 'cannot restore target: because the server lacks the roles "Steward of ""Gondor""", "lord", "minstrel"',
      hint: expect.stringContaining('--no-owner') as string,
    });
    expect(await databasesOf(elsewhere)).toEqual([]);
    expect(await elsewhere.psql('postgres', `SELECT count(*) FROM pg_roles WHERE rolname !~ '^pg_'`)).toBe('1');
  });

  test('--no-owner goes without roles that are missing', async () => {
    const [warning] = await restore(await loginTo(elsewhere, 'rich'), artifact, { into: 'bare', noOwner: true });
    expect(warning).toMatch(/^left out \d+ statements about owners and missing roles$/);
    const { schema: _schema, ...content } = await contentOf(elsewhere, 'bare');
    expect(content).toEqual(withoutOwners);
    expect(await elsewhere.psql('bare', OWNERS)).toBe('postgres');
    expect(await elsewhere.psql('bare', POLICIES)).toBe('all_of_us|{-}');
    expect(await elsewhere.psql('bare', 'SELECT count(*) FROM pg_user_mapping')).toBe('0');
    // What was closed to everybody is closed still.
    await elsewhere.psql('postgres', 'CREATE ROLE stranger');
    expect(await elsewhere.psql('bare', `SELECT has_function_privilege('stranger', 'shout(text)', 'execute')`)).toBe(
      'f',
    );
    expect(await elsewhere.psql('bare', `SELECT has_database_privilege('stranger', 'bare', 'connect')`)).toBe('f');
  });

  test('--no-owner keeps what roles have that are there', async () => {
    await elsewhere.psql('postgres', 'CREATE ROLE minstrel');
    await restore(await loginTo(elsewhere, 'rich'), artifact, { into: 'some', noOwner: true });
    expect(await elsewhere.psql('some', OWNERS)).toBe('postgres');
    expect(await elsewhere.psql('some', POLICIES)).toBe('all_of_us|{-}\nown|{minstrel}\nstrict|{minstrel}');
    expect(
      await elsewhere.psql('some', `SELECT obj_description(oid, 'pg_policy') FROM pg_policy WHERE polname = 'strict'`),
    ).toBe('only for minstrels');
    expect(
      await elsewhere.psql(
        'some',
        `SELECT has_function_privilege('minstrel', 'shout(text)', 'execute'), has_database_privilege('minstrel', 'some', 'connect')`,
      ),
    ).toBe('t|t');
    expect(await elsewhere.psql('some', `SELECT setconfig FROM pg_db_role_setting`)).toBe('{work_mem=8MB}');
    expect(await elsewhere.psql('some', 'SELECT count(*) FROM pg_user_mapping')).toBe('1');
  });

  test('--no-owner is enough for a user who may only make databases', async () => {
    await origin.psql('postgres', 'CREATE DATABASE simple OWNER lord');
    await origin.psql(
      'simple',
      `SET ROLE lord; CREATE TABLE t AS SELECT 'ALTER TABLE t OWNER TO x;' AS text; GRANT SELECT ON t TO minstrel`,
    );
    const simple = await captureArtifact(await loginTo(origin, 'simple'));
    await elsewhere.psql('postgres', `CREATE ROLE maker LOGIN CREATEDB PASSWORD 'maker'`);
    const login = await loginTo(elsewhere, 'simple');
    const maker = { ...login, connection: { ...login.connection, user: 'maker' }, password: 'maker' };
    await restore(maker, simple, { into: 'made', noOwner: true });
    expect(await elsewhere.psql('made', 'SELECT text, tableowner FROM t, pg_tables WHERE tablename = $$t$$')).toBe(
      'ALTER TABLE t OWNER TO x;|maker',
    );
  });
});
