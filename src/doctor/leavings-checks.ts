import { serverKey } from '../config/globals.js';
import { BackupError } from '../domain/errors.js';
import { isNamedVolume, type DatabaseTarget } from '../domain/target.js';
import type { Runtime } from '../runtime.js';
import { findUnfinishedDatabases } from '../sources/postgres/leavings.js';
import { quoteIdentifier } from '../sources/postgres/quoting.js';
import { findEndedRestores } from '../sources/volume/restore-leavings.js';
import { ownService } from '../steps/own-service.js';
import type { Check } from './check.js';

const CHECK = 'leavings';

/** What restores that were killed left on the servers and the engine of this host's targets. */
export function leavingsChecks(runtime: Runtime): Check[] {
  const targets = runtime.config.targets.filter(({ host }) => host === runtime.config.host);
  const databases = targets.filter((target) => target.kind === 'database');
  const servers = new Map(databases.map((target) => [serverKey(target), target]));
  return [
    ...[...servers.values()].map((target) => serverCheck(runtime, target)),
    ...(targets.some(isNamedVolume) ? [engineCheck(runtime)] : []),
  ];
}

function serverCheck({ config, tools }: Runtime, target: DatabaseTarget): Check {
  const { name, connection } = target;
  const run = async (signal: AbortSignal) => {
    const password = config.passwordOf(target);
    const login = { target: name, connection, tools, signal, ...(password !== undefined && { password }) };
    const names = (await findUnfinishedDatabases(login)).map(quoteIdentifier);
    if (names.length === 0) return 'no restore left a database';
    throw left(`the databases of unfinished restores: ${names.join(', ')}`, `DROP DATABASE ${names[0] ?? ''};`);
  };
  return { check: CHECK, subject: `${connection.host}:${String(connection.port)}`, run };
}

function engineCheck(runtime: Runtime): Check {
  const run = async () => {
    const service = await ownService(runtime);
    const names = service === undefined ? [] : await findEndedRestores(service);
    if (names.length === 0) return 'no restore left a container';
    const hint = `\`backupctl restore\` of that target again, with --in-place where that was one: it puts the volume back first; then docker rm ${names.join(' ')}`;
    throw left(`the containers of unfinished restores: ${names.join(', ')}`, hint);
  };
  return { check: CHECK, subject: 'engine', run };
}

function left(what: string, remedy: string): BackupError {
  return new BackupError('Conflict', `cannot leave it so: because there are ${what}`, {
    hint: `where no restore goes on now: ${remedy}`,
  });
}
