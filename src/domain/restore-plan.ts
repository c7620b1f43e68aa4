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
  /** What it was captured from and what it goes to: `PostgreSQL 16.4`. */
  versions?: { captured: string; there: string };
  roles?: { made: string[] };
  /** What is there now, of a restore in place. */
  replaces?: { what: string; sizeBytes?: number; keptAs: string };
  warnings: string[];
}
