import type { Compression, DumpFormat, QuiesceHow, Source, TargetKind } from './target.js';

export const MANIFEST_FORMAT = 'backup-manifest/1';

/** What a plain dump leaves out and a restored database needs. */
export interface DatabaseProperties {
  owner: string;
  encoding: string;
  collate: string;
  ctype: string;
  /** `libc`, `icu` or `builtin`; absent where the server knows none (before 15). */
  localeProvider?: string;
  /** ICU or builtin locale. */
  locale?: string;
  icuRules?: string;
  connectionLimit: number;
  allowConnections: boolean;
  isTemplate: boolean;
  tablespace: string;
  comment?: string;
  /** `GRANT`s and `REVOKE`s on the database as an aclitem list; absent: the default ACL. */
  acl?: string[];
  /** `ALTER DATABASE … SET`, with `role` for `ALTER ROLE … IN DATABASE … SET`; value as in pg_db_role_setting. */
  settings: { role?: string; name: string; value: string }[];
}

/** Why an artifact must not push older ones out. */
export interface Suspicion {
  reason: string;
  /** How many captures of the line in a row came out about as small, this one included. */
  inARow: number;
}

/** What was down while a volume was read. */
export interface Quiesced {
  how: QuiesceHow;
  /** Names of those that ran before; empty where none did. */
  containers: string[];
  /** From the first one's stop until the last one was back. */
  downMs: number;
}

/** The record that makes a file an artifact. It never changes; what is learned later lives beside it. */
export interface Manifest {
  format: typeof MANIFEST_FORMAT;
  service: string;
  target: string;
  kind: TargetKind;
  source: Source;
  /** The worker's host (`default`, or what `on_host` says). */
  host: string;
  run: string;
  artifact: {
    /** File name, without any directory. */
    name: string;
    compression: Compression;
    /** Absent: plain SQL, or no dump of a database at all. */
    dumpFormat?: Exclude<DumpFormat, 'plain'>;
    compressionLevel: number;
    sizeBytes: number;
    /** Of the stored bytes, lower-case hex. */
    sha256: string;
    /** Of the stored bytes, 8 lower-case hex digits. */
    crc32: string;
  };
  /** RFC 3339, UTC. The order of artifacts is the order of these, never of names or file times. */
  captureStartedAt: string;
  captureFinishedAt: string;
  /** Program name to version: what made the artifact. */
  programs: Record<string, string>;
  server?: { product: 'PostgreSQL'; version: string; versionNumber: number };
  database?: DatabaseProperties;
  /** Settings of the session that dumped which rows and names are written by and which no dump names: `TimeZone` and the like. */
  writtenUnder?: Record<string, string>;
  /** Roles that the dump names (owners, grantees, policies): a restore checks them first. Of globals: those that they can make. */
  roles?: string[];
  /** Of a volume whose entry asks for it. */
  quiesced?: Quiesced;
  warnings: string[];
  /** Proved, and yet not what was expected of its size. Absent: nothing was expected, or it is as it was. */
  suspicious?: Suspicion;
  timings: { captureMs: number; proveMs: number };
}
