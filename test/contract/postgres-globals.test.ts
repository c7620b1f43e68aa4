import { writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServerLogin } from '../../src/domain/target.js';
import { proveArtifact } from '../../src/pipeline/prove.js';
import { captureGlobals, describeGlobals, type CaptureGlobalsInput } from '../../src/sources/postgres/globals.js';
import { toolsWith } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { failureOf } from '../support/postgres-trouble.js';
import { testDirectory } from '../support/config-file.js';

const PASSWORD = 'test password';
let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql(
    'postgres',
    `CREATE ROLE plain LOGIN PASSWORD '${PASSWORD}'; CREATE DATABASE "odd=name' \\" OWNER plain;
     CREATE ROLE ring; CREATE ROLE "S'auron ""é\n\\" IN ROLE ring; ALTER ROLE plain SET work_mem = '7MB';
     CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
});
afterAll(() => server.stop());

function login(name: string, user = 'postgres', database = 'postgres', host = server.host): ServerLogin {
  return { name, connection: { host, port: server.port, user, database } };
}

async function inputFor(logins: ServerLogin[], passwords: Record<string, string> = {}): Promise<CaptureGlobalsInput> {
  const partPath = join(testDirectory(), 'globals.sql.gz');
  await writeFile(partPath, '', { mode: 0o600 });
  return {
    ...{ target: 'globals:db-5432', logins, partPath, compression: 'gzip', level: 6, tools: await toolsWith(server) },
    passwordOf: ({ name }) => passwords[name] ?? PASSWORD,
  };
}

async function captured(logins: ServerLogin[], passwords?: Record<string, string>) {
  const input = await inputFor(logins, passwords);
  const facts = await captureGlobals(input);
  await proveArtifact({ path: input.partPath, kind: 'globals', compression: 'gzip', tools: input.tools });
  const { partPath: _path, level: _level, ...same } = input;
  expect(await describeGlobals(same)).toEqual(facts);
  return { facts, sql: gunzipSync(await readFile(input.partPath)).toString() };
}

test('they are roles, memberships, settings and passwords, and no tablespaces', async () => {
  const { facts, sql } = await captured([login('a')]);
  const systemIdentifier = await server.psql('postgres', 'SELECT system_identifier FROM pg_control_system()');
  expect(facts).toMatchObject({
    source: { kind: 'globals', systemIdentifier },
    server: { product: 'PostgreSQL' },
    roles: ['S\'auron "é\n\\', 'plain', 'postgres', 'ring'],
    warnings: [],
  });
  expect(Object.keys(facts.programs).sort()).toEqual(['bgzip', 'pg_dumpall']);
  expect(sql).toContain(`CREATE ROLE "S'auron ""é\n\\";`);
  expect(sql).toContain(`GRANT ring TO "S'auron ""é\n\\"`);
  expect(sql).toMatch(/ALTER ROLE plain WITH .*PASSWORD 'SCRAM-SHA-256\$/);
  expect(sql).toContain(`ALTER ROLE plain SET work_mem TO '7MB'`);
  expect(sql).not.toMatch(/TABLESPACE/);
});

test('a user who may not read passwords goes without, and says so', async () => {
  const { facts, sql } = await captured([login('a', 'plain', `odd=name' \\`)]);
  expect(facts.warnings).toEqual(['the roles are without their passwords: plain may not read them']);
  expect(sql).toContain('CREATE ROLE ring;');
  expect(sql).not.toContain('SCRAM');
});

test('of several logins the first that may read passwords is taken, whatever the others meet', async () => {
  const refused = login('refused', 'plain');
  const logins = [refused, login('gone', 'plain', 'gone'), login('able', 'postgres', 'latin'), login('other')];
  const { facts, sql } = await captured(logins, { refused: 'wrong' });
  expect(facts.warnings).toEqual([]);
  expect(sql).toContain('SCRAM');
  // In the encoding that the server was made with: names of roles are bytes, of no encoding.
  const encoding = (text: string) => /SET client_encoding = .*/.exec(text)?.[0];
  expect(encoding(sql)).toBe(encoding((await captured([login('a')])).sql));
});

test('a database that is gone keeps nobody from the roles of its server', async () => {
  const { facts } = await captured([login('gone', 'plain', 'gone')]);
  expect(facts.roles).toContain('ring');
});

test('the first refusal is told where no login gets in', async () => {
  const logins = [login('a', 'plain'), login('b', 'nobody')];
  const error = await failureOf(captureGlobals(await inputFor(logins, { a: 'wrong' })));
  expect(error).toMatchObject({ code: 'LoginRefused', retryable: false });
  expect((error as Error).message).toMatch(/cannot connect to globals:db-5432 .*"plain"/);
});

test('a server that does not answer is one, whoever logs in', async () => {
  const away = { ...login('a'), connection: { ...login('a').connection, port: 1 } };
  const error = await failureOf(captureGlobals(await inputFor([away, login('b')])));
  expect(error).toMatchObject({ code: 'ServerUnreachable', retryable: true });
});

test('a pg_dumpall that is not there is named with its package', async () => {
  const input = await inputFor([login('a')]);
  const pgDumps = [{ path: '/nowhere/bin/pg_dump', version: '99.1', major: 99 }];
  const error = await failureOf(captureGlobals({ ...input, tools: { ...input.tools, pgDumps } }));
  expect(error).toMatchObject({ code: 'ProgramMissing', hint: 'install the package postgresql-client-99' });
});
