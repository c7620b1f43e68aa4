import { expect, test } from 'vitest';
import { captureArtifact, loginTo, restore } from '../support/postgres-artifact.js';
import { startPostgres } from '../support/postgres-server.js';

test('every kind of role that a dump names is known beforehand', async () => {
  const [origin, elsewhere] = [await startPostgres(), await startPostgres()];
  try {
    for (const server of [origin, elsewhere])
      await server.psql('postgres', 'ALTER ROLE postgres RENAME TO boss').catch(() => undefined);
    const named = [
      'owner',
      'grantee',
      'grantor',
      'column reader',
      'large',
      'default owner',
      'default grantee',
      'policy',
      'mapped',
      'db owner',
      'db grantee',
      'db setting',
      'server owner',
      'publisher',
    ];
    for (const role of [...named, 'bystander', 'extension owner'])
      await origin.psql('postgres', `CREATE ROLE "${role}"`);
    await origin.psql(
      'postgres',
      `CREATE DATABASE named OWNER "db owner"; GRANT CONNECT ON DATABASE named TO "db grantee"; ALTER ROLE "db setting" IN DATABASE named SET work_mem = '8MB'`,
    );
    await origin.psql(
      'named',
      `CREATE TABLE t (a int, b int); ALTER TABLE t OWNER TO owner; GRANT SELECT ON t TO grantee; GRANT UPDATE ON t TO grantor WITH GRANT OPTION;
       SET ROLE grantor; GRANT UPDATE ON t TO grantee; RESET ROLE; GRANT SELECT (a) ON t TO "column reader";
       SELECT lo_create(42); ALTER LARGE OBJECT 42 OWNER TO large;
       ALTER DEFAULT PRIVILEGES FOR ROLE "default owner" GRANT SELECT ON TABLES TO "default grantee";
       CREATE POLICY p ON t TO policy USING (true);
       CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE USER MAPPING FOR mapped SERVER s;
       ALTER SERVER s OWNER TO "server owner"; GRANT USAGE ON FOREIGN DATA WRAPPER w TO "server owner";
       CREATE PUBLICATION pub; ALTER PUBLICATION pub OWNER TO publisher;
       GRANT CREATE ON DATABASE named TO "extension owner"; SET ROLE "extension owner"; CREATE EXTENSION IF NOT EXISTS pg_trgm; RESET ROLE;
       REVOKE CREATE ON DATABASE named FROM "extension owner"`,
    );
    const artifact = await captureArtifact(await loginTo(origin, 'named'));
    expect(artifact.manifest.roles).toEqual([...named, 'postgres'].sort());
    for (const role of named) await elsewhere.psql('postgres', `CREATE ROLE "${role}"`);
    await restore(await loginTo(elsewhere, 'named'), artifact, { into: 'named' });
  } finally {
    await Promise.all([origin.stop(), elsewhere.stop()]);
  }
});
