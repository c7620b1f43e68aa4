import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { captureArtifact, loginTo, propertiesOf, restore } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

const ROLES = `
CREATE ROLE "o'wner ""x""=y/z"; CREATE ROLE reader; CREATE ROLE "Mixed Case"; CREATE ROLE "müller"; CREATE ROLE "łotr"; CREATE ROLE unnamed;`;

/** How each database is made, and what is done to it. */
const DATABASES: Record<string, { create: string; change?: string; only?: number; withIcu?: true }> = {
  plain: { create: '' },
  latin1: {
    create: `OWNER "müller" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
    change: `COMMENT ON DATABASE latin1 IS 'in UTF-8: ł'; ALTER ROLE "łotr" IN DATABASE latin1 SET work_mem TO '8MB'`,
  },
  ascii: { create: `TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'POSIX'` },
  closed: {
    create: 'CONNECTION LIMIT 3 IS_TEMPLATE true TABLESPACE "fast disk"',
    change: `
      COMMENT ON DATABASE closed IS E'it''s "a"\\nb \\\\ $$';
      REVOKE CONNECT, TEMPORARY ON DATABASE closed FROM PUBLIC;`,
  },
  nobodys: { create: '', change: 'REVOKE ALL ON DATABASE nobodys FROM PUBLIC, postgres' },
  granted: {
    create: `OWNER "o'wner ""x""=y/z"`,
    change: `
      GRANT CONNECT, CREATE ON DATABASE granted TO reader WITH GRANT OPTION;
      GRANT TEMPORARY ON DATABASE granted TO reader;
      SET ROLE reader; GRANT CONNECT ON DATABASE granted TO "Mixed Case"; RESET ROLE;
      REVOKE CREATE ON DATABASE granted FROM "o'wner ""x""=y/z";`,
  },
  set: {
    create: '',
    change: `
      ALTER DATABASE set SET search_path TO "$user", public, "Mixed Case", 'a,b';
      ALTER DATABASE set SET work_mem TO '8MB';
      ALTER DATABASE set SET my.variable TO E'it''s \\\\ "x"=y';
      ALTER DATABASE set SET statement_timeout TO '5s';
      ALTER DATABASE set SET default_transaction_read_only TO on;
      ALTER ROLE reader IN DATABASE set SET search_path TO '';
      ALTER ROLE "Mixed Case" IN DATABASE set SET DateStyle TO 'SQL, DMY';`,
  },
  icu: { create: `TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' ENCODING 'UTF8'`, withIcu: true },
  icu_rules: {
    create: `TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&V << w <<< W' ENCODING 'UTF8'`,
    only: 16,
    withIcu: true,
  },
  builtin: { create: `TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' ENCODING 'UTF8'`, only: 17 },
};

/** Makes those that the server can have, and returns their names. */
async function makeDatabases(server: PostgresServer): Promise<string[]> {
  // The distribution's servers are built with ICU, those of the wheel are not.
  const hasIcu =
    (await server.psql('postgres', `SELECT count(*) > 10 FROM pg_collation WHERE collprovider = 'i'`)) === 't';
  const possible = Object.entries(DATABASES).filter(
    ([, { only = 0, withIcu = false }]) => server.major >= only && (hasIcu || !withIcu),
  );
  for (const [name, { create, change = '' }] of possible) {
    await server.psql('postgres', `CREATE DATABASE "${name}" ${create}`);
    await server.psql('postgres', change);
  }
  return possible.map(([name]) => name);
}

describe.each([undefined, 16, 18])('on PostgreSQL %s', (major) => {
  let server: PostgresServer;
  let names: string[];
  beforeAll(async () => {
    server = await startPostgres({
      ...(major === undefined ? {} : { major }),
      settings: { allow_in_place_tablespaces: 'on' },
    });
    await server.psql('postgres', ROLES);
    await server.psql('postgres', `CREATE TABLESPACE "fast disk" LOCATION ''`);
    names = await makeDatabases(server);
  });
  afterAll(() => server.stop());

  test('what a plain dump leaves out comes back', async () => {
    for (const name of names) {
      const before = await propertiesOf(server, name);
      const login = await loginTo(server, name);
      const artifact = await captureArtifact(login);
      expect(artifact.manifest.database).toEqual(before);
      expect(artifact.manifest.roles).not.toContain('unnamed');
      await restore(login, artifact, { into: `${name} copy` });
      expect(await propertiesOf(server, `${name} copy`)).toEqual(before);
    }
  });

  test('the properties are those that were asked for', async () => {
    const owner = `o'wner "x"=y/z`;
    expect(await propertiesOf(server, 'latin1')).toMatchObject({
      ...{ encoding: 'LATIN1', collate: 'C', ctype: 'C' },
      ...{ owner: 'müller', comment: 'in UTF-8: ł', settings: [{ role: 'łotr', name: 'work_mem', value: '8MB' }] },
    });
    expect(await propertiesOf(server, 'closed')).toMatchObject({
      connectionLimit: 3,
      isTemplate: true,
      tablespace: 'fast disk',
    });
    expect(await propertiesOf(server, 'closed')).toMatchObject({ comment: `it's "a"\nb \\ $$` });
    expect(await propertiesOf(server, 'nobodys')).toMatchObject({ acl: [] });
    expect(await propertiesOf(server, 'plain')).not.toHaveProperty('acl');
    const granted = await propertiesOf(server, 'granted');
    expect(granted).toMatchObject({ owner });
    expect(granted.acl).toContain('"Mixed Case"=c/reader');
    const set = await propertiesOf(server, 'set');
    expect(set.settings).toContainEqual({ name: 'search_path', value: '"$user", public, "Mixed Case", "a,b"' });
    expect(set.settings).toContainEqual({ role: 'reader', name: 'search_path', value: '""' });
    expect(set.settings).toHaveLength(7);
  });
});
