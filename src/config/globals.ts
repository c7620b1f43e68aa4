import { createHash } from 'node:crypto';
import { globalsName } from '../domain/names.js';
import {
  DEFAULT_HOST,
  type DatabaseTarget,
  type GlobalsTarget,
  type ServerLogin,
  type Target,
} from '../domain/target.js';
import type { BackupSettings } from './backup-settings.js';
import { verifyPolicy } from './verify-schema.js';

/** Of one server; more would only be tried where all before may not read passwords. */
const MOST_LOGINS = 20;

export interface GlobalsInput {
  /** Enabled ones, in the order of the file. */
  targets: readonly Target[];
  settings: Pick<
    BackupSettings,
    'compression' | 'compressionLevel' | 'retentionCount' | 'retention' | 'timeoutMs' | 'verify'
  >;
}

/** A target for the roles of each server that the enabled databases are on: host and port as the file has them, seen from one host. */
export function globalsTargets({ targets, settings }: GlobalsInput): GlobalsTarget[] {
  const { compression, compressionLevel, retentionCount, retention, timeoutMs } = settings;
  const verify = verifyPolicy({}, settings.verify);
  const common = {
    ...{ compression, compressionLevel, retentionCount, timeoutMs },
    ...(retention !== undefined && { retention }),
    ...(verify !== undefined && { verify }),
  };
  const taken = new Set<string>();
  return serversOf(targets).map(({ host, databases }) => {
    const name = freeName(databases[0], taken);
    taken.add(name.toLowerCase());
    const logins = loginsOf(databases);
    return { kind: 'globals', name, host, logins, ...common };
  });
}

interface Server {
  /** Whose worker reaches it. */
  host: string;
  databases: [DatabaseTarget, ...DatabaseTarget[]];
}

function serversOf(targets: readonly Target[]): Server[] {
  const servers = new Map<string, Server>();
  for (const target of targets) {
    if (target.kind !== 'database') continue;
    const key = serverKey(target);
    const server = servers.get(key);
    if (server === undefined) servers.set(key, { host: target.host, databases: [target] });
    else server.databases.push(target);
  }
  return [...servers.values()];
}

/** Equal for the databases of one server. Names of hosts have no case, paths of sockets do. */
export function serverKey({ host, connection }: Pick<DatabaseTarget, 'host' | 'connection'>): string {
  const server = connection.host.startsWith('/') ? connection.host : connection.host.toLowerCase();
  return JSON.stringify([host, server, connection.port]);
}

/** Of each user one; which password of two is right, only the server knows. */
function loginsOf(databases: readonly DatabaseTarget[]): ServerLogin[] {
  const logins = new Map<string, ServerLogin>();
  for (const { name, connection } of databases) {
    const key = JSON.stringify([connection.user, connection.sslmode, connection.passwordTemplate ?? ['of', name]]);
    if (!logins.has(key)) logins.set(key, { name, connection });
  }
  return [...logins.values()].slice(0, MOST_LOGINS);
}

/** A server on another host, or one that differs by what a file name cannot hold, gets a longer name: the first has the plain one. */
function freeName(database: DatabaseTarget, taken: ReadonlySet<string>): string {
  const { host, connection } = database;
  const plain = globalsName(connection);
  const isFree = (name: string) => !taken.has(name.toLowerCase());
  const ofHost = host === DEFAULT_HOST ? plain : `${plain}-${host.replaceAll('_', '-')}`;
  const digest = createHash('sha256').update(serverKey(database)).digest('hex').slice(0, 8);
  return [plain, ofHost].find(isFree) ?? `${plain}-${digest}`;
}
