import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findFinishedSwap, requireRestorable } from '../../src/sources/postgres/restore.js';
import {
  ageOf,
  attemptSwap,
  expectAsItWas,
  expectSwappedAndGoBack,
  KEPT,
  SUFFIX,
  swapGround,
  swapOnly,
  TOKEN,
  type SwapGround,
} from '../support/database-swap.js';
import { ENDS_SESSION, faultyPsql, KILLS_PSQL } from '../support/faulty-psql.js';
import { loginTo, propertiesOf, restoreInput } from '../support/postgres-artifact.js';
import { failureOf } from '../support/postgres-trouble.js';
import { postgresClientBin } from '../support/tools.js';
import { waitFor } from '../support/wait-for.js';

/** Of the swap; before it every session gets its settings. */
const FIRST_LINE = 4;
const replaces = { restoreToken: TOKEN, suffixes: [SUFFIX] };

describe.each([
  [15, { what: 'its session', line: ENDS_SESSION }],
  [18, { what: 'psql', line: KILLS_PSQL }],
])('a restore in place on PostgreSQL %i', (major, fault) => {
  let ground: SwapGround;
  beforeAll(async () => {
    ground = await swapGround(major);
  });
  afterAll(() => ground.close());
  afterEach(() => expectAsItWas(ground));

  /** What a plan asks. */
  async function plan(changes: object = {}) {
    const input = restoreInput(await loginTo(ground.server, 'mordor'), ground.artifact, { into: 'mordor' });
    return requireRestorable({ ...input, replaces, ...changes });
  }

  it('tells what it will replace, replaces it whole, and keeps it closed', async () => {
    const { server } = ground;
    await server.psql('postgres', 'ALTER DATABASE mordor CONNECTION LIMIT 50');
    const { replaced } = await plan();
    expect(replaced).toMatchObject({ keptAs: KEPT, changed: ['connection limit'] });
    expect(replaced?.sizeBytes).toBeGreaterThan(1_000_000);
    await expectAsItWas(ground);
    expect(await attemptSwap(ground)).toEqual({ warnings: [], keptAs: KEPT });
    expect(await propertiesOf(server, 'mordor')).toMatchObject({ comment: 'the dark land', connectionLimit: -1 });
    await expectSwappedAndGoBack(ground);
    expect((await propertiesOf(server, 'mordor')).connectionLimit).toBe(50);
    await server.psql('postgres', 'ALTER DATABASE mordor CONNECTION LIMIT -1');
  });

  it('hands the name on under a hail of clients: none gets into the old one afterwards', async () => {
    const { server } = ground;
    const hail = startHail(ground);
    const idle = server.psql('mordor', 'BEGIN; SELECT pg_sleep(1000)').catch(String);
    await waitFor('the hail', async () => Number(await server.psql('mordor', 'SELECT count(*) FROM hits')) > 50);
    await attemptSwap(ground);
    await waitFor(
      'hits of the new one',
      async () => Number(await server.psql('mordor', 'SELECT count(*) FROM hits')) > 50,
    );
    await hail.end();
    expect(await idle).toMatch(/terminating connection due to administrator command/);
    const first = await server.psql('mordor', 'SELECT min(at) FROM hits');
    await server.psql('postgres', `ALTER DATABASE "${KEPT}" ALLOW_CONNECTIONS true`);
    expect(await server.psql(KEPT, `SELECT count(*) FROM hits WHERE at >= '${first}'`)).toBe('0');
    await server.psql('postgres', `ALTER DATABASE "${KEPT}" ALLOW_CONNECTIONS false`);
    await expectSwappedAndGoBack(ground);
    await server.psql('mordor', 'DELETE FROM hits');
  });

  it(`leaves all as it was, or wholly the restored one, where ${fault.what} ends at any line of the swap`, async () => {
    const { tools } = await loginTo(ground.server, 'postgres');
    const outcomes: boolean[] = [];
    for (let afterLine = FIRST_LINE, last = FIRST_LINE; afterLine <= last; afterLine++) {
      const faulty = await faultyPsql(tools, { marker: 'AS is_changed', afterLine, line: fault.line });
      const outcome = await swapOnly(ground, { tools: faulty.tools }).then(
        () => true,
        () => false,
      );
      await (outcome ? expectSwappedAndGoBack(ground) : expectAsItWas(ground));
      outcomes.push(outcome);
      last = await faulty.lines();
    }
    // It is done by the commit alone, which stands at the end.
    expect(outcomes.indexOf(true)).toBeGreaterThan(6);
    expect(outcomes.slice(outcomes.indexOf(true))).not.toContain(false);
  });

  it.each([
    [
      'slot',
      `SELECT pg_create_logical_replication_slot('palantir', 'pgoutput')`,
      `SELECT pg_drop_replication_slot('palantir')`,
    ],
    [
      'subscription',
      `CREATE SUBSCRIPTION palantir CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)`,
      `ALTER SUBSCRIPTION palantir SET (slot_name = NONE); DROP SUBSCRIPTION palantir`,
    ],
    [
      'prepared transaction',
      `BEGIN; INSERT INTO hits DEFAULT VALUES; PREPARE TRANSACTION 'palantir'`,
      `ROLLBACK PREPARED 'palantir'`,
    ],
  ])('refuses a %s on it by name, before anything is touched and right before the swap', async (what, make, remove) => {
    await ground.server.psql('mordor', make);
    for (const work of [plan, () => attemptSwap(ground), () => swapOnly(ground)]) {
      const { code, message, hint } = await failureOf(work());
      expect({ code, message }).toEqual({
        code: 'Conflict',
        message: expect.stringMatching(
          new RegExp(`^cannot replace the database mordor: because it has the (replication )?${what} "palantir"$`),
        ) as string,
      });
      expect(hint).toBeTruthy();
    }
    await ground.server.psql('mordor', remove);
  });

  it('refuses another database that has got the name since it looked', async () => {
    const { server } = ground;
    await server.psql('postgres', 'CREATE DATABASE other');
    // Who holds the lock on the name lets the swap wait for it, and then gives the name away.
    const rename = server.psql(
      'postgres',
      `BEGIN; ALTER DATABASE mordor RENAME TO away; ALTER DATABASE other RENAME TO mordor; SET application_name = 'renamed';
       DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted) LOOP PERFORM pg_sleep(0.05); END LOOP; END $$; COMMIT`,
    );
    await waitFor('the rename', async () => {
      const sql = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'renamed'`;
      return (await server.psql('postgres', sql)) === '1';
    });
    const { message } = await failureOf(swapOnly(ground));
    expect(message).toBe(
      'cannot replace the database mordor: because its name is that of another one since the restore began',
    );
    await rename;
    await server.psql('postgres', 'DROP DATABASE mordor; ALTER DATABASE away RENAME TO mordor');
  });

  it('gives up where a session does not end, and nothing has changed', async () => {
    const { server } = ground;
    const inside = server.psql('mordor', 'SELECT pg_sleep(1000)').catch(String);
    const sleeping = `FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(1000)%'`;
    await waitFor('the session', () => server.psql('postgres', `SELECT pid ${sleeping}`));
    const { tools } = await loginTo(server, 'postgres');
    const powerless = await faultyPsql(tools, {
      marker: 'pg_terminate_backend(a.pid)',
      afterLine: 0,
      line: 'SELECT 1;',
    });
    const { code, message } = await failureOf(swapOnly(ground, { attempts: 1, tools: powerless.tools }));
    expect(code).toBe('Conflict');
    expect(message).toBe('cannot replace the database mordor: because sessions in it did not end');
    await server.psql('postgres', `SELECT pg_terminate_backend(pid) ${sleeping}`);
    await inside;
  });

  it('knows a swap that is done, also where another attempt was faster', async () => {
    const login = { ...(await loginTo(ground.server, 'postgres')), into: 'mordor' };
    expect(await findFinishedSwap({ ...login, restoreToken: TOKEN })).toBeUndefined();
    await attemptSwap(ground);
    expect(await findFinishedSwap({ ...login, restoreToken: TOKEN })).toBe(KEPT);
    expect(await findFinishedSwap({ ...login, restoreToken: '00000000' })).toBeUndefined();
    const suffixes = [SUFFIX, '_before_20261124_030001'];
    expect(await attemptSwap(ground, { replaces: { ...replaces, suffixes } })).toEqual({ warnings: [], keptAs: KEPT });
    await expectSwappedAndGoBack(ground);
  });

  it('takes the next moment where a name is taken, and refuses what is not there or not to be replaced', async () => {
    const { server } = ground;
    await server.psql('postgres', `CREATE DATABASE "${KEPT}"`);
    const next = { ...replaces, suffixes: [SUFFIX, '_before_20261124_030001'] };
    expect((await plan({ replaces: next })).replaced?.keptAs).toBe('mordor_before_20261124_030001');
    expect(await failureOf(plan())).toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining(KEPT) as string,
    });
    await server.psql('postgres', `DROP DATABASE "${KEPT}"`);
    expect(await failureOf(plan({ into: 'gondor' }))).toMatchObject({ code: 'NotFound' });
    expect(await failureOf(plan({ into: 'template1' }))).toMatchObject({ code: 'ConfigInvalid' });
    const long = 'ü'.repeat(31);
    await server.psql('postgres', `CREATE DATABASE "${long}"`);
    const keptAs = (await plan({ into: long })).replaced?.keptAs ?? '';
    expect([Buffer.byteLength(keptAs), keptAs.endsWith(SUFFIX)]).toEqual([63, true]);
    await server.psql('postgres', `DROP DATABASE "${long}"`);
  });

  it('replaces the database that people enter by, from the other one', async () => {
    const { server } = ground;
    await server.psql('postgres', `CREATE TABLE age AS SELECT 'now'::text AS value`);
    const { keptAs } = await attemptSwap(ground, { into: 'postgres' });
    expect([keptAs, await ageOf(ground, 'postgres')]).toEqual([`postgres${SUFFIX}`, 'then']);
    await server.psql(
      'template1',
      `DROP DATABASE postgres; ALTER DATABASE "${String(keptAs)}" RENAME TO postgres; ALTER DATABASE postgres ALLOW_CONNECTIONS true`,
    );
    await server.psql('postgres', 'DROP TABLE age; ALTER ROLE CURRENT_USER IN DATABASE postgres RESET ALL');
  });

  it('needs a user who may rename it and end the sessions in it', async () => {
    const { server } = ground;
    await server.psql('postgres', `CREATE ROLE orc LOGIN PASSWORD 'mordor'`);
    const { host, port } = server;
    const orc = { connection: { host, port, user: 'orc', database: 'mordor' }, password: 'mordor', noOwner: true };
    const refused = async () => {
      const { code, message } = await failureOf(plan(orc));
      expect(code).toBe('LoginRefused');
      expect((await failureOf(attemptSwap(ground, orc))).message).toBe(message);
      await expectAsItWas(ground);
      return message;
    };
    expect(await refused()).toMatch(/may not rename it, which its owner "postgres" with CREATEDB may$/);
    await server.psql('postgres', 'ALTER DATABASE mordor OWNER TO orc');
    expect(await refused()).toMatch(/may not rename it/);
    await server.psql('postgres', 'ALTER ROLE orc CREATEDB');
    const inside = server.psql('mordor', 'SELECT pg_sleep(1000)').catch(String);
    await waitFor('the session', async () => {
      const sql = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1000)%' AND datname = 'mordor'`;
      return (await server.psql('postgres', sql)) === '1';
    });
    expect(await refused()).toMatch(/may not end the sessions of "postgres" in it$/);
    await server.psql('postgres', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'mordor'`);
    await inside;
    expect((await attemptSwap(ground, orc)).keptAs).toBe(KEPT);
    expect(await server.psql('postgres', `SELECT count(*) FROM pg_db_role_setting`)).toBe('1');
    await server.psql('postgres', 'ALTER ROLE orc IN DATABASE "' + KEPT + '" RESET ALL');
    await expectSwappedAndGoBack(ground);
    await server.psql('postgres', `ALTER DATABASE mordor OWNER TO postgres; DROP OWNED BY orc; DROP ROLE orc`);
  });
});

interface Hail {
  end(): Promise<void>;
}

/** Clients that connect anew for each row. */
function startHail({ server }: SwapGround): Hail {
  const pgbench = join(postgresClientBin(18), 'pgbench');
  const { host, port, user, password } = server;
  const env = { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  // Clients give up where a connection is refused: others take their place.
  const script = `while :; do '${pgbench}' -n -C -c 4 -T 1 -f <(echo 'INSERT INTO hits DEFAULT VALUES;') mordor; done`;
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'bash', '-c', script], {
    env,
    stdio: 'ignore',
    detached: true,
  });
  return {
    async end() {
      const closed = once(child, 'close');
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await closed;
    },
  };
}
