import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { deploy, type Deployment } from '../support/deployment.js';
import { serverItem } from '../support/own-postgres.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { createBucket } from '../support/s3-server.js';

const bucket = `globals-${randomBytes(4).toString('hex')}`;
const OWNER = `sauron's "eye" é`;
const QUOTED = `"sauron's ""eye"" é"`;

let server: PostgresServer;
let deployment: Deployment;
let name: string;
let run: string;
let artifact: string;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql(
    'postgres',
    `CREATE ROLE maiar; CREATE ROLE ${QUOTED} LOGIN PASSWORD 'precious' IN ROLE maiar; CREATE ROLE reader NOLOGIN;
     CREATE DATABASE mordor OWNER ${QUOTED}; CREATE DATABASE shire`,
  );
  await server.psql(
    'mordor',
    `CREATE TABLE rings (n int); ALTER TABLE rings OWNER TO ${QUOTED}; GRANT SELECT ON rings TO reader`,
  );
  await server.psql('shire', 'CREATE TABLE hobbits AS SELECT generate_series(1, 4)');
  await createBucket(inject('s3').endpoint, bucket);
  deployment = await deploy({
    databases: `${serverItem(server, 'mordor', 'mordor')}\n${serverItem(server, 'shire', 'shire')}\n    dump_format: custom`,
    env: { SERVER_PASSWORD: server.password },
    settings: { globals: true },
    s3: { bucket },
  });
  name = `globals:127.0.0.1-${String(server.port)}`;
  const worker = await deployment.startWorker();
  const { code, json, stderr } = await deployment.backupctl(['run', '--json']);
  expect(code, stderr).toBe(0);
  run = (json as RunReport).run;
  expect(json).toMatchObject({
    targets: [{ target: 'mordor' }, { target: 'shire' }, { target: name, kind: 'globals', outcome: 'succeeded' }],
  });
  artifact = `globals_127.0.0.1-${String(server.port)}_${run}.sql.gz`;
  await worker.stop();
});
afterAll(async () => {
  await deployment.close();
  await server.stop();
});

const restore = (...args: string[]) => deployment.backupctl(['restore', 'mordor', '--into', 'back', ...args]);

it('are listed, verified and looked at like any other target, in each destination', async () => {
  const { json } = await deployment.backupctl(['list', name, '--json']);
  const expected = { run, target: name, kind: 'globals' };
  expect(json).toMatchObject([
    { ...expected, destination: 'local', location: join(deployment.backupDir, run, artifact) },
    { ...expected, destination: 's3' },
  ]);
  expect((await deployment.backupctl(['verify', name])).stdout).toMatch(/^verified .*\nverified .*s3:/);
  const doctor = await deployment.backupctl(['doctor', '--json']);
  expect(doctor.json).toContainEqual(
    expect.objectContaining({ check: 'globals', subject: name, ok: true, message: 'roles, read by postgres' }),
  );
});

it('stand beside a dump in custom format, which comes back by several jobs from each destination', async () => {
  const { json } = await deployment.backupctl(['list', 'shire', '--json']);
  expect(json).toMatchObject([
    { location: join(deployment.backupDir, run, `shire_${run}.dump`) },
    { destination: 's3' },
  ]);
  expect((await deployment.backupctl(['restore', 'shire', '--jobs', '0'])).code).toBe(2);
  const { code, stderr } = await deployment.backupctl([
    'restore',
    'shire',
    '--from',
    's3',
    '--into',
    'bree',
    '--jobs',
    '2',
  ]);
  expect(code, stderr).toBe(0);
  expect(await server.psql('bree', 'SELECT count(*) FROM hobbits')).toBe('4');
});

it('are restored along with a database, and by hand', async () => {
  const { code, stderr } = await deployment.backupctl(['restore', name]);
  expect(code).toBe(2);
  expect(stderr).toContain(`cannot restore ${name}: because roles are no database and no volume\nHINT: `);
  expect(stderr).toContain(`gunzip -c ${join(deployment.backupDir, run, artifact)} | psql -d postgres`);
  expect((await restore('--with-roles', '--no-owner')).code).toBe(2);
});

it('make what a restore lacks, and say so; roles that are there stay as they are', async () => {
  const elsewhere = await startPostgres();
  try {
    await elsewhere.psql('postgres', `CREATE ROLE reader LOGIN CONNECTION LIMIT 7`);
    await deployment.configure({
      databases: serverItem(elsewhere, 'mordor', 'mordor'),
      env: { SERVER_PASSWORD: elsewhere.password },
    });
    const refused = await restore();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /lacks the role "sauron's ""eye"" é"\nHINT: let `--with-roles` make what is missing/,
    );

    const local = join(deployment.backupDir, run, artifact);
    await writeFile(local, 'x', { flag: 'a' });
    const damaged = await restore('--with-roles', '--from', 'local');
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toMatch(
      /cannot make the roles that mordor needs: because there are no globals of its server; .*its manifest says/,
    );
    expect(await elsewhere.psql('postgres', `SELECT count(*) FROM pg_roles WHERE rolname = 'maiar'`)).toBe('0');

    const { code, json, stderr } = await restore('--with-roles', '--json');
    expect(code, stderr).toBe(0);
    expect(json).toMatchObject({ madeRoles: ['maiar', OWNER], warnings: [] });
    expect(stderr).toMatch(new RegExp(`passing over .*\\nmordor: roles from run ${run}: s3://`));
    expect(stderr).not.toContain('SCRAM');
    expect(await elsewhere.psql('back', `SELECT tableowner FROM pg_tables WHERE tablename = 'rings'`)).toBe(OWNER);
    const same = `SELECT rolname, rolpassword FROM pg_authid WHERE rolname ~ 'sauron|maiar' ORDER BY 1`;
    expect(await elsewhere.psql('postgres', same)).toBe(await server.psql('postgres', same));
    const reader = `SELECT rolcanlogin, rolconnlimit FROM pg_roles WHERE rolname = 'reader'`;
    expect(await elsewhere.psql('postgres', reader)).toBe('t|7');
  } finally {
    await elsewhere.stop();
  }
});
