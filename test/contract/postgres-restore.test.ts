import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  captureArtifact,
  contentOf,
  databasesOf,
  loginTo,
  propertiesOf,
  restore,
} from '../support/postgres-artifact.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

const HOSTILE_NAMES = ['-h evil', `a'b"c`, 'x=1 dbname=y', 'postgresql://evil/y', 'ünï\n\\ $(id) %s', 'n'.repeat(63)];

describe.each([undefined, 16, 18])('on PostgreSQL %s', (major) => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(major === undefined ? {} : { major });
    await server.psql('postgres', RICH_ROLES_SQL);
    await server.psql('postgres', 'CREATE DATABASE rich OWNER lord');
    await server.psql('rich', RICH_SQL);
  });
  afterAll(() => server.stop());

  test.each(['gzip', 'zstd'] as const)('a restored database is the database (%s)', async (compression) => {
    const login = await loginTo(server, 'rich');
    const artifact = await captureArtifact(login, { compression });
    expect(artifact.manifest.roles).toEqual(['Steward of "Gondor"', 'lord', 'minstrel', 'postgres']);
    expect(artifact.manifest.warnings).toEqual([]);

    expect(await restore(login, artifact, { into: compression })).toEqual([]);
    expect(await contentOf(server, compression)).toEqual(await contentOf(server, 'rich'));
    expect(await propertiesOf(server, compression)).toEqual(await propertiesOf(server, 'rich'));
  });

  test('a name is a name, whatever it looks like', async () => {
    for (const name of HOSTILE_NAMES) {
      const quoted = `"${name.replaceAll('"', '""')}"`;
      await server.psql('postgres', `CREATE DATABASE ${quoted}`);
      await server.psql(name, 'CREATE TABLE here AS SELECT current_database() AS name');
      const login = await loginTo(server, name);
      const artifact = await captureArtifact(login);
      expect(artifact.manifest.source).toMatchObject({ database: name });
      await server.psql('postgres', `DROP DATABASE ${quoted}`);
      await restore(login, artifact, { into: name });
      expect(await server.psql(name, 'SELECT name = current_database() FROM here')).toBe('t');
    }
    expect(await databasesOf(server)).toEqual(expect.arrayContaining(HOSTILE_NAMES));
    expect((await databasesOf(server)).filter((name) => name.includes('_restoring_'))).toEqual([]);
  });
});

test('a dump of an older server is restored by a newer one', async () => {
  const [old, young] = [await startPostgres(), await startPostgres({ major: 18 })];
  try {
    for (const server of [old, young]) await server.psql('postgres', RICH_ROLES_SQL);
    await old.psql('postgres', 'CREATE DATABASE rich OWNER lord');
    await old.psql('rich', RICH_SQL);
    const artifact = await captureArtifact(await loginTo(old, 'rich'));
    expect(artifact.manifest.programs['pg_dump']).toMatch(new RegExp(`^${String(old.major)}\\.`));
    await restore(await loginTo(young, 'rich'), artifact, { into: 'rich' });
    const { schema: _old, ...before } = await contentOf(old, 'rich');
    const { schema: _young, ...after } = await contentOf(young, 'rich');
    expect(after).toEqual(before);
  } finally {
    await Promise.all([old.stop(), young.stop()]);
  }
});

test('where the database postgres is gone, template1 lets a restore in', async () => {
  const server = await startPostgres();
  try {
    await server.psql('postgres', 'CREATE DATABASE small');
    const login = await loginTo(server, 'small');
    const artifact = await captureArtifact(login);
    await server.psql('small', 'DROP DATABASE postgres');
    await restore(login, artifact, { into: 'copy' });
    expect(await server.psql('copy', 'SELECT current_database()')).toBe('copy');
  } finally {
    await server.stop();
  }
});
