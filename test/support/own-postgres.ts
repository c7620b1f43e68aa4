import type { OwnTest } from './own-parts.js';
import { startPostgres, type PostgresOptions, type PostgresServer } from './postgres-server.js';
import { waitFor } from './wait-for.js';

/** A PostgreSQL server that a test may kill. */
export async function ownPostgres({ onTestFinished }: OwnTest, options: PostgresOptions = {}): Promise<PostgresServer> {
  const server = await startPostgres(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A database of such a server as an item of `backup_targets`; the password is to be in `stack.env`, as SERVER_PASSWORD. */
export function serverItem({ host, port, user }: PostgresServer, name: string, database: string): string {
  const connection = { host, port, user, password: '${SERVER_PASSWORD}', database };
  return `  - name: ${JSON.stringify(name)}\n    type: database\n    config: ${JSON.stringify(connection)}`;
}

const HELD = 'pg_largeobject';

/** Stops every dump of a database after its rows (pg_dump comes to large objects last), until the server is killed. */
export async function holdDumpsOf(server: PostgresServer, database: string): Promise<{ reached: () => Promise<void> }> {
  await server.psql(database, `SELECT lo_from_bytea(0, 'kept')`);
  const session = server.psql(database, `BEGIN; LOCK TABLE ${HELD} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1000)`);
  session.catch(() => undefined); // it ends with its server
  const locks = async (condition: string) =>
    Number(
      await server.psql(
        database,
        `SELECT count(*) FROM pg_locks WHERE relation = '${HELD}'::regclass AND ${condition}`,
      ),
    );
  await waitFor('the hold', async () => (await locks('granted')) > 0);
  return {
    reached: async () => {
      await waitFor('a dump to be held', async () => (await locks('NOT granted')) > 0);
    },
  };
}
