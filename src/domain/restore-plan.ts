import type { DestinationKind, TargetKind } from './target.js';

/** Which rows or files of an artifact are restored. Nothing in it: all of them. */
export interface RestoreParts {
  /** Of a database: `table`, or `schema.table`. */
  tables?: string[];
  /** Of a database: every table of these. */
  schemas?: string[];
  /** Of a volume: files, or directories with what is in them, relative to its root. */
  paths?: string[];
}

/** What a person asks for; it travels through workflow histories. */
export interface RestoreRequest {
  target: string;
  /** Default: the newest. */
  run?: string;
  /** Default: `local`, and the others where it has no such artifact. */
  from?: DestinationKind;
  /** The new database, volume or directory. Default: the name of the one that was backed up. */
  into?: string;
  /** Replaces what is there, which stays under another name. Default: false. */
  inPlace?: boolean;
  parts?: RestoreParts;
  /** Of a database: the target whose server and user are taken instead of its own. */
  toServer?: string;
  /** Of a database: everything belongs to the user who restores, and missing roles go without their privileges. */
  noOwner: boolean;
  /** Of a database: roles that the server lacks are made from its globals. Default: false. */
  withRoles?: boolean;
  /** At once, of a dump in custom format. Default: as many as there are cores, up to 4. */
  jobs?: number;
}

/** What a restore will do, found out before anything is touched. */
export interface RestorePlan extends RestoreFacts {
  target: string;
  kind: TargetKind;
  run: string;
  /** RFC 3339: when the content was as it will be. */
  capturedAt: string;
  destination: DestinationKind;
  location: string;
  sizeBytes: number;
  /** How long the last drill took to restore this target. Absent: none is known. */
  expectedMs?: number;
  into: string;
  parts?: RestoreParts;
}

/** What one kind of target adds to its plan. */
export interface RestoreFacts {
  /** Of a database, where it goes to: `host:port`. */
  server?: string;
  /** What it was captured from and what it goes to: `PostgreSQL 16.4`. */
  versions?: { captured: string; there: string };
  /** Those that are made first, and those that it has to go without. */
  roles?: { made: string[]; missing?: string[] };
  /** What is there now, of a restore in place. */
  replaces?: { what: string; sizeBytes?: number; keptAs: string };
  warnings: string[];
}

/** What one kind of target tells of its restore when that is done. */
export interface Restored {
  warnings: string[];
  /** Roles that were made for it. */
  madeRoles?: string[];
  /** The name under which what was there stays, of a restore in place. */
  keptAs?: string;
  /** How that is removed, and how it gets its place again: what a person types. */
  keptCommands?: { remove: string; goBack: string };
}

/** What came of a restore. */
export interface RestoredTarget extends Restored {
  target: string;
  kind: TargetKind;
  run: string;
  destination: DestinationKind;
  location: string;
  into: string;
  sizeBytes: number;
  sha256: string;
}

/** What a restore makes; no volume has a name that begins with a slash. */
export function placeWord({ kind, into }: Pick<RestoredTarget, 'kind' | 'into'>): string {
  return kind === 'volume' && into.startsWith('/') ? 'directory' : kind;
}
