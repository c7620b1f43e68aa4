import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { BackupError } from '../../src/domain/errors.js';
import { captureGlobals } from '../../src/sources/postgres/globals.js';
import { makeRoles, readGlobalsFile } from '../../src/sources/postgres/make-roles.js';
import { planRoles, type RoleScript } from '../../src/sources/postgres/role-script.js';
import { makingRoles } from '../../src/steps/restore-roles.js';
import { testDirectory } from '../support/config-file.js';
import { loginTo, toolsWith } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { failureOf } from '../support/postgres-trouble.js';

const SAURON = `s'aur"on é\n\\ :x`;
const QUOTED = `"s'aur""on é\n\\ :x"`;
/** Everything about a role that is not its number. */
const ROLE = `to_jsonb(a) - 'oid' || jsonb_build_object('comment', shobj_description(a.oid, 'pg_authid'),
  'settings', (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole = a.oid))`;
const ROLES = `SELECT jsonb_object_agg(rolname, ${ROLE} ORDER BY rolname) FROM pg_authid a WHERE rolname !~ '^pg_|^postgres$'`;
const MEMBERSHIPS = `SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members WHERE roleid > 16384 OR member > 16384 ORDER BY 1::text, 2::text`;

let origin: PostgresServer;
let elsewhere: PostgresServer;
let dump: Buffer;

beforeAll(async () => {
  [origin, elsewhere] = await Promise.all([startPostgres(), startPostgres()]);
  await origin.psql(
    'postgres',
    `CREATE ROLE grandparent CREATEDB NOINHERIT CONNECTION LIMIT 3; CREATE ROLE parent IN ROLE grandparent;
     CREATE ROLE ${QUOTED} LOGIN PASSWORD 'precious' VALID UNTIL '2099-01-01' IN ROLE pg_monitor;
     GRANT parent TO ${QUOTED} WITH ADMIN OPTION; COMMENT ON ROLE ${QUOTED} IS 'GRANT grandparent TO postgres;';
     ALTER ROLE ${QUOTED} SET search_path = "odd; $x$", public; ALTER ROLE ${QUOTED} SET work_mem = '5MB';
     CREATE ROLE there SUPERUSER; GRANT parent TO there; GRANT ${QUOTED} TO there; CREATE ROLE bystander;
     CREATE ROLE boss SUPERUSER CREATEROLE; GRANT there TO boss; ALTER ROLE there SET work_mem = '6MB'`,
  );
  await elsewhere.psql('postgres', `CREATE ROLE there LOGIN PASSWORD 'other'; CREATE ROLE here IN ROLE there`);
  dump = await dumpOf(origin);
});
afterAll(() => Promise.all([origin.stop(), elsewhere.stop()]));

async function dumpOf(server: PostgresServer): Promise<Buffer> {
  const { connection, password = '' } = await loginTo(server, 'postgres');
  const path = join(testDirectory(), 'globals.sql.zst');
  await writeFile(path, '');
  const tools = await toolsWith(server);
  const logins = [{ name: 'a', connection }];
  const common = { target: 'globals:a-1', logins, passwordOf: () => password, tools, compression: 'zstd' as const };
  await captureGlobals({ ...common, level: 3, partPath: path });
  return readGlobalsFile({ path, compression: 'zstd', tools });
}

async function scriptFor(wanted: string[], server = elsewhere, from = dump): Promise<RoleScript> {
  const [version, ...existing] = (
    await server.psql('postgres', 'SHOW server_version_num; SELECT rolname FROM pg_roles')
  ).split('\n');
  return planRoles({ dump: from, wanted, existing, serverVersionNumber: Number(version) });
}

/** Runs the test on a server that has, when it ends, the roles that it had. */
function withoutMadeRoles(): void {
  onTestFinished(() =>
    elsewhere
      .psql('postgres', `DROP ROLE IF EXISTS ${QUOTED}, parent, grandparent, boss, plain, made`)
      .then(() => undefined),
  );
}

test('missing roles and what they are members of come as they were, and none that is there is touched', async () => {
  withoutMadeRoles();
  const before = [await elsewhere.psql('postgres', ROLES), await elsewhere.psql('postgres', MEMBERSHIPS)];
  const script = await scriptFor([SAURON, 'there']);
  expect({ ...script, sql: '', undoSql: '' }).toEqual({
    ...{ roles: ['grandparent', 'parent', SAURON], unknown: [], warnings: [], sql: '', undoSql: '' },
  });
  await makeRoles(await loginTo(elsewhere, 'postgres'), script);
  const now = JSON.parse(await elsewhere.psql('postgres', ROLES)) as Record<string, unknown>;
  const origins = JSON.parse(await origin.psql('postgres', ROLES)) as Record<string, unknown>;
  const { there, here, ...made } = now;
  expect({ there, here }).toEqual(JSON.parse(before[0] ?? ''));
  const { there: _there, bystander: _bystander, boss: _boss, ...expected } = origins;
  expect(made).toEqual(expected);
  const memberships = `${before[1] ?? ''}\n`;
  expect((await elsewhere.psql('postgres', MEMBERSHIPS)).split('\n').sort()).toEqual(
    `${memberships}grandparent|parent|f\nparent|${QUOTED}|t\npg_monitor|${QUOTED}|f`.split('\n').sort().filter(Boolean),
  );
});

test('what was made is gone when what it was made for fails, and the failure is told', async () => {
  const before = await elsewhere.psql('postgres', ROLES);
  const script = await scriptFor([SAURON]);
  const failure = new BackupError('ProgramFailed', 'cannot restore it');
  const work = async () => {
    expect(await elsewhere.psql('postgres', ROLES)).not.toBe(before);
    throw failure;
  };
  expect(await failureOf(makingRoles(await loginTo(elsewhere, 'postgres'), script, work))).toBe(failure);
  expect(await elsewhere.psql('postgres', ROLES)).toBe(before);
});

test('roles that could not be taken away again are named', async () => {
  withoutMadeRoles();
  onTestFinished(() => elsewhere.psql('postgres', `DROP TABLE hold`).then(() => undefined));
  const script = await scriptFor(['parent']);
  const work = async () => {
    await elsewhere.psql('postgres', 'CREATE TABLE hold (); ALTER TABLE hold OWNER TO parent');
    throw new BackupError('ProgramFailed', 'cannot restore it', { hint: 'mend it' });
  };
  const error = await failureOf(makingRoles(await loginTo(elsewhere, 'postgres'), script, work));
  expect(error.text).toBe(
    'cannot restore it\nHINT: mend it; drop the roles "grandparent", "parent", which could not be removed',
  );
});

test('one that somebody made meanwhile stops all, and no message tells a hash', async () => {
  withoutMadeRoles();
  const script = await scriptFor([SAURON, 'boss']);
  await elsewhere.psql('postgres', 'CREATE ROLE boss');
  const before = await elsewhere.psql('postgres', ROLES);
  const error = await failureOf(makeRoles(await loginTo(elsewhere, 'postgres'), script));
  expect(error.text).toMatch(/^cannot make the roles .*"boss".*: because ERROR: +role "boss" already exists$/s);
  expect(await elsewhere.psql('postgres', ROLES)).toBe(before);
  await elsewhere.psql('postgres', 'DROP ROLE boss');
  const broken = Buffer.from(script.sql.toString('latin1').replace(/PASSWORD '/, `PASSWORD NONSENSE '`), 'latin1');
  const second = (await failureOf(
    makeRoles(await loginTo(elsewhere, 'postgres'), { ...script, sql: broken }),
  )) as Error;
  expect(second.message).toMatch(/syntax error/);
  expect(JSON.stringify([error.text, second.message, second.cause])).not.toContain('SCRAM-SHA-256');
});

test('a user who may make roles and no more makes plain ones, and is told what is missing for others', async () => {
  withoutMadeRoles();
  await elsewhere.psql('postgres', `CREATE ROLE plain LOGIN CREATEROLE PASSWORD 'test password'`);
  const login = await loginTo({ ...elsewhere, user: 'plain' }, 'postgres');
  await makeRoles(login, await scriptFor(['bystander']));
  expect(await elsewhere.psql('postgres', `SELECT count(*) FROM pg_roles WHERE rolname = 'bystander'`)).toBe('1');
  await elsewhere.psql('postgres', 'DROP ROLE bystander');
  const error = await failureOf(makeRoles(login, await scriptFor(['boss'])));
  expect(error).toMatchObject({ code: 'LoginRefused', hint: expect.stringContaining('CREATEROLE') as string });
});

test('the globals of a newer server make the roles of an older one', async () => {
  withoutMadeRoles();
  const young = await startPostgres({ major: 18 });
  onTestFinished(() => young.stop());
  await young.psql(
    'postgres',
    `CREATE ROLE parent; CREATE ROLE made; GRANT parent TO made WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; GRANT pg_maintain TO made`,
  );
  const script = await scriptFor(['made'], elsewhere, await dumpOf(young));
  const isUnknown = elsewhere.major < 17;
  expect(script.warnings).toEqual(isUnknown ? ['made is no member of pg_maintain, which the server lacks'] : []);
  await makeRoles(await loginTo(elsewhere, 'postgres'), script);
  expect(await elsewhere.psql('postgres', MEMBERSHIPS)).toContain('parent|made|t');
});
