import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkDatabase } from '../../src/sources/postgres/check.js';
import { loginTo } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.psql('postgres', `CREATE DATABASE data; CREATE ROLE plain LOGIN PASSWORD 'plain'`);
  await server.psql(
    'data',
    `CREATE TABLE a (i int); CREATE TABLE b (i int); CREATE SEQUENCE c; CREATE SCHEMA hidden; CREATE TABLE hidden.d (i int);
     CREATE TABLE rows (i int); ALTER TABLE rows ENABLE ROW LEVEL SECURITY; GRANT SELECT ON rows TO plain;`,
  );
});
afterAll(() => server.stop());

async function checkAs(user: string, password: string) {
  const login = await loginTo(server, 'data');
  return checkDatabase({ ...login, connection: { ...login.connection, user }, password });
}

test('a superuser finds nothing wrong', async () => {
  const check = await checkAs(server.user, server.password);
  expect(check).toMatchObject({ serverVersion: expect.stringMatching(/^\d+\.\d+/) as string, findings: [] });
  expect(check.pgDump.major).toBe(server.major);
});

test('what a user may not read is named', async () => {
  const { findings } = await checkAs('plain', 'plain');
  expect(findings.map(({ message }) => message)).toEqual([
    'plain may not read hidden.d, public.a, public.b and 1 more',
    'row-level security hides rows from plain',
  ]);
});

test('its advice is enough', async () => {
  await server.psql('data', 'GRANT pg_read_all_data TO plain; ALTER ROLE plain BYPASSRLS');
  expect((await checkAs('plain', 'plain')).findings).toEqual([]);
});

test('a server that lets nobody in is an error', async () => {
  await expect(checkAs('plain', 'wrong')).rejects.toMatchObject({ code: 'LoginRefused' });
});
