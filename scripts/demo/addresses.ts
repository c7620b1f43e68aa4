import { join } from 'node:path';
import type { Screen } from './screen.js';
import { BUCKET, POSTGRES_USER } from './servers.js';
import type { Stage } from './stage.js';

/** What is up, and how to use it from another terminal. */
export function showAddresses(screen: Screen, { servers, directory, configFile, foreign }: Stage): void {
  const { temporal, s3, postgres } = servers;
  screen.heading('Everything is up; Ctrl-C here ends and removes it');
  screen.row('Web UI', temporal.uiUrl ?? '');
  screen.row('Temporal', temporal.address);
  screen.row('S3', `${s3.endpoint}, bucket ${BUCKET}`);
  screen.row('PostgreSQL', `${postgres.host}:${String(postgres.port)}, user ${POSTGRES_USER}`);
  screen.row('secrets', join(directory, 'stack.env'));
  screen.row('backups', join(directory, 'backups'));
  screen.row('log', join(directory, 'worker.log'));
  screen.heading('To use it in another terminal, in this directory');
  if (foreign.length > 0) screen.line(`unset ${foreign.join(' ')}`);
  screen.line(`export BACKUPS_FILE=${configFile}`);
  screen.line('npx backupctl status');
}
