import { startPostgres, type PostgresServer } from '../../test/support/postgres-server.js';
import { startS3, type S3Server } from '../../test/support/s3-server.js';
import { startTemporal, type TemporalServer } from '../../test/support/temporal-server.js';
import type { Secrets } from './secrets.js';
import type { Teardown } from './teardown.js';

export const BUCKET = 'demo-backups';
/** The role that the service logs in as. */
export const POSTGRES_USER = 'backup';

export interface Servers {
  temporal: TemporalServer;
  s3: S3Server;
  postgres: PostgresServer;
}

/** Starts all three at once, each on a free port; what came up is ended by the teardown also where another one did not. */
export async function startServers(teardown: Teardown, secrets: Secrets): Promise<Servers> {
  const starting = {
    temporal: ended(teardown, 'end the Temporal server', startTemporal({ ui: true })),
    s3: ended(teardown, 'end the S3 server', startS3(secrets.s3)),
    postgres: ended(
      teardown,
      'end PostgreSQL',
      startPostgres({ user: POSTGRES_USER, password: secrets.postgresPassword }),
    ),
  };
  await Promise.allSettled(Object.values(starting));
  const servers = { temporal: await starting.temporal, s3: await starting.s3, postgres: await starting.postgres };
  await servers.s3.createBucket(BUCKET);
  return servers;
}

async function ended<T extends { stop(): Promise<void> }>(
  teardown: Teardown,
  what: string,
  start: Promise<T>,
): Promise<T> {
  const server = await start;
  teardown.add(what, () => server.stop());
  return server;
}
