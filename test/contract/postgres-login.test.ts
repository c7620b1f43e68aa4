import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureDatabase } from '../../src/sources/postgres/capture.js';
import { freePort } from '../support/free-port.js';
import { captureInput, loginTo } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { CANARY, failureOf, HOSTILE_PASSWORD } from '../support/postgres-trouble.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ user: `us'er "x"`, password: HOSTILE_PASSWORD });
  await server.psql('postgres', `CREATE DATABASE data; CREATE ROLE plain LOGIN PASSWORD 'plain'`);
  await server.psql('data', 'CREATE TABLE noise (i integer)');
});
afterAll(() => server.stop());

test('a wrong password, an unknown role, a password that is missing', async () => {
  const login = await loginTo(server, 'data');
  for (const change of [
    { password: `${CANARY} wrong` },
    { password: '' },
    { connection: { ...login.connection, user: 'nobody' } },
  ]) {
    const error = await captureDatabase({ ...(await captureInput(login)), ...change }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'LoginRefused',
      retryable: false,
      message: expect.stringMatching(
        /^cannot connect to target \(database data on 127\.0\.0\.1:\d+\): because /,
      ) as string,
      hint: expect.stringContaining('password') as string,
    });
  }
});

test('a password that no program can be given', async () => {
  const login = await loginTo(server, 'data');
  const error = await failureOf(captureDatabase({ ...(await captureInput(login)), password: `${CANARY}\n` }));
  expect(error.text).toMatch(/^cannot connect to target: because its password holds a line break\nHINT: /);
});

test('a missing database', async () => {
  const error = await failureOf(captureDatabase(await captureInput(await loginTo(server, 'missing'))));
  expect(error).toMatchObject({ code: 'NotFound', retryable: false });
  expect(error.message).toContain('database "missing" does not exist');
});

test('a database that the user may not connect to', async () => {
  await server.psql('postgres', 'CREATE DATABASE closed; REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
  const login = await loginTo(server, 'closed');
  const connection = { ...login.connection, user: 'plain' };
  const error = await failureOf(
    captureDatabase({ ...(await captureInput({ ...login, connection })), password: 'plain' }),
  );
  expect(error).toMatchObject({ code: 'LoginRefused', hint: expect.stringContaining('GRANT CONNECT') as string });
});

test('a table that the user may not read', async () => {
  const login = await loginTo(server, 'data');
  const connection = { ...login.connection, user: 'plain' };
  const error = await failureOf(
    captureDatabase({ ...(await captureInput({ ...login, connection })), password: 'plain' }),
  );
  expect(error).toMatchObject({ code: 'LoginRefused', hint: expect.stringContaining('pg_read_all_data') as string });
  expect(error.message).toMatch(/^cannot dump target .*: because .*permission denied for table noise/);
});

test('nobody listens, no such host, a server that does not speak TLS', async () => {
  const login = await loginTo(server, 'data');
  for (const [change, code] of [
    [{ port: await freePort() }, 'ServerUnreachable'],
    [{ host: 'no-such-host.invalid' }, 'ServerUnreachable'],
    [{ sslmode: 'require' }, 'LoginRefused'],
    [{ sslmode: 'bogus' }, 'LoginRefused'],
  ] as const) {
    const connection = { ...login.connection, ...change };
    const error = await failureOf(captureDatabase(await captureInput({ ...login, connection })));
    expect(error).toMatchObject({ code, retryable: code === 'ServerUnreachable' });
    expect(error.message).toMatch(/^cannot connect to target /);
  }
});
