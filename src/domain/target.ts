import type { Retention } from './retention-rules.js';
import type { VerificationMethod } from './verification.js';

export type TargetKind = 'database' | 'volume' | 'globals';
export type Compression = 'gzip' | 'zstd';
/** How pg_dump writes: SQL, which is compressed then, or an archive for pg_restore, which holds its compression. */
export type DumpFormat = 'plain' | 'custom';
export type DestinationKind = 'local' | 's3';

/** The host of a worker as in its task queue `backup-<host>`; a literal, since a container's hostname changes. */
export const DEFAULT_HOST = 'default';

/** When and how the newest artifact of a target is verified by itself. */
export interface VerifyPolicy {
  /** Absent: after each run. */
  cron?: string;
  method: VerificationMethod;
  from: DestinationKind;
}

interface CommonTarget extends Retention {
  name: string;
  /** Whose worker captures it. */
  host: string;
  /** Its own cron; absent: that of the service. */
  schedule?: string;
  compression: Compression;
  /** As the compressor means it: 0 to 9 for gzip, 1 to 19 for zstd. */
  compressionLevel: number;
  /** The longest one attempt of a capture may take. */
  timeoutMs: number;
  /** An artifact with fewer bytes is suspicious. Absent: none. */
  minSizeBytes?: number;
  /** One that is smaller by more than this than the last good one is suspicious. Absent: none. */
  maxShrinkPercent?: number;
  /** Absent: never. */
  verify?: VerifyPolicy;
}

export interface DatabaseConnection {
  host: string;
  port: number;
  user: string;
  database: string;
  /** libpq's `sslmode`. */
  sslmode?: string;
  /**
   * The password as `${NAME}` references only, never its text: a spec travels through workflow histories. Absent where
   * the file holds a literal (or a default): then the worker looks the target up in its own `backups.yml`.
   */
  passwordTemplate?: string;
}

export interface DatabaseTarget extends CommonTarget {
  kind: 'database';
  connection: DatabaseConnection;
  /** Absent: plain. */
  dumpFormat?: Exclude<DumpFormat, 'plain'>;
  /** How many tables are dumped at once. Absent: one. */
  dumpJobs?: number;
}

/** Whose eyes see a server: a target of the file, and how it connects. */
export interface ServerLogin {
  /** The name of that target. */
  name: string;
  connection: DatabaseConnection;
}

/** What the databases of a server share: its roles. No entry of the file, it follows from those of its databases. */
export interface GlobalsTarget extends CommonTarget {
  kind: 'globals';
  /** In the order of the file, of each user one; at least one. The first that may read passwords is used, else the first. */
  logins: ServerLogin[];
}

/** How containers are brought to rest: `stop` ends them, `pause` freezes them. */
export type QuiesceHow = 'stop' | 'pause';

/** Which containers are down while a volume is read. */
export interface QuiescePolicy {
  how: QuiesceHow;
  /** Names, `label=KEY` or `label=KEY=VALUE`, in the order in which they are brought down. */
  containers: string[];
  maxDowntimeMs: number;
}

interface AnyVolumeTarget extends CommonTarget {
  kind: 'volume';
  description?: string;
  /** Absent: it is captured hot. */
  quiesce?: QuiescePolicy;
}

/** A volume of the Docker engine, read by a helper container. */
export interface NamedVolumeTarget extends AnyVolumeTarget {
  volumeName: string;
}

/** A volume that is mounted where the worker runs, read by the worker itself: no engine is asked. */
export interface MountedVolumeTarget extends AnyVolumeTarget {
  /** Absolute, normal, without a slash at its end. */
  path: string;
}

export type VolumeTarget = NamedVolumeTarget | MountedVolumeTarget;

export function isMountedVolume(target: Target): target is MountedVolumeTarget {
  return 'path' in target;
}

export function isNamedVolume(target: Target): target is NamedVolumeTarget {
  return 'volumeName' in target;
}

/** What is backed up, as the plan hands it on: every reference resolved but those of secrets. */
export type Target = DatabaseTarget | VolumeTarget | GlobalsTarget;

/** Where an artifact came from. Retention counts each source of a target on its own. */
export type Source =
  | { kind: 'database'; systemIdentifier: string; database: string }
  | { kind: 'database'; host: string; port: number; database: string }
  | { kind: 'globals'; systemIdentifier: string }
  | { kind: 'globals'; host: string; port: number }
  | { kind: 'volume'; host: string; volume: string }
  | { kind: 'volume'; host: string; path: string };

/** Whether a database and globals are of one server, as far as both tell. */
export function isOfServer(database: Source, globals: Source): boolean {
  if (database.kind !== 'database' || globals.kind !== 'globals') return false;
  return serverKey(database) === serverKey(globals);
}

/** Equal for all databases and the globals of one PostgreSQL server; undefined for volumes. */
export function serverKey(source: Source): string | undefined {
  if (source.kind === 'volume') return undefined;
  return JSON.stringify('port' in source ? [source.host, source.port] : [source.systemIdentifier]);
}

/** One text per source, equal exactly where the sources are equal. */
export function sourceKey(source: Source): string {
  if (source.kind === 'globals') {
    return JSON.stringify(
      'port' in source ? ['globals', source.host, source.port] : ['globals', source.systemIdentifier],
    );
  }
  if ('volume' in source) return JSON.stringify(['volume', source.host, source.volume]);
  if ('path' in source) return JSON.stringify(['path', source.host, source.path]);
  if ('systemIdentifier' in source) return JSON.stringify(['system', source.systemIdentifier, source.database]);
  return JSON.stringify(['server', source.host, source.port, source.database]);
}

/** Whether artifacts of a source may be those of a target as its entry is now. Which system a server is, no entry tells. */
export function mayComeFrom(source: Source, target: Target): boolean {
  if (target.kind === 'globals') return source.kind === 'globals';
  if (target.kind === 'database') return source.kind === 'database' && source.database === target.connection.database;
  const { host } = target;
  const place = isMountedVolume(target) ? { path: target.path } : { volume: target.volumeName };
  return sourceKey(source) === sourceKey({ kind: 'volume', host, ...place });
}
