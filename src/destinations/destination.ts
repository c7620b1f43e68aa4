import type { DestinationKind } from '../domain/target.js';

export interface StoredObject {
  /** Relative to the destination's root, `/`-separated: `20261124_030000/mordor_20261124_030000.sql.gz`. */
  path: string;
  sizeBytes: number;
}

/** Facts about a file that its manifest states and a destination proves of what it stored. */
export interface FileFacts {
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
  /** 8 lower-case hex digits. */
  crc32: string;
}

export interface TransferOptions {
  /**
   * Ends the transfer; what was sent stays for a later attempt to go on with. It then rejects with the signal's reason
   * where that is a BackupError, else with `Cancelled`.
   */
  signal: AbortSignal;
  /** Told after each piece, with all bytes that are there so far; without a call for long, the caller sees a stall. */
  onProgress: (bytesDone: number) => void;
  /** Told more often, with what is on its way too, which the other side may yet refuse: a sign of life, and what people are shown. */
  onUnderWay?: (bytes: number) => void;
}

/** How the stored bytes were proved: by the store's own checksum, or by reading them back. */
export type StoredProof = 'checksum' | 'read-back';

export interface SweepInput {
  /** Whether what was left at this path, or of this path, is ours to drop. */
  isOurs: (path: string) => boolean;
  olderThanMs: number;
  now: Date;
}

/**
 * A place that artifacts are kept. Nothing here replaces or removes a committed artifact unasked: `putFile` and
 * `createText` refuse a taken path. A path that is not there is `undefined` or `false`, never an error; a place that
 * does not answer, refuses or lacks its directory or bucket is a BackupError that names it. It knows no manifests.
 */
export interface Destination {
  readonly kind: DestinationKind;
  /** For people: `/backups`, `s3://bucket/prefix`. */
  readonly location: string;
  /** All whose path begins with `prefix` (`20261124_030000/`; default: all), in no order. Temporary files are listed too. */
  list(prefix?: string): Promise<StoredObject[]>;
  /** The folders at its top. Absent where looking for a name costs about as much as listing many. */
  folders?(): Promise<string[]>;
  stat(path: string): Promise<StoredObject | undefined>;
  readText(path: string): Promise<string | undefined>;
  /** Creates it whole and durable, or says that the path is taken; never replaces. */
  createText(path: string, text: string): Promise<'created' | 'taken'>;
  /** Only for derived records (`run.json`, `SHA256SUMS`): replaces in one step. */
  replaceText(path: string, text: string): Promise<void>;
  /**
   * Brings the local file `from`, whose bytes have `facts`, to `path`, proved and durable. Goes on where an earlier attempt
   * was cut off. A taken path with the same bytes is success; with others it is a `Conflict`.
   */
  putFile(path: string, from: string, facts: FileFacts, options: TransferOptions): Promise<StoredProof>;
  /** Drops what attempts at `putFile` left of `path`. Only where none will follow, as in a cancelled run: one that follows goes on with it. */
  abandonPut(path: string): Promise<void>;
  /** Drops what attempts left that nobody has gone on with for long; returns how many. */
  sweepPuts(input: SweepInput): Promise<number>;
  /** Brings `path` to a new local file `to` (0600); the bytes are checked against `facts` before it resolves, else `Damaged` and no file. */
  fetchFile(path: string, to: string, facts: FileFacts, options: TransferOptions): Promise<void>;
  /** Gone when it resolves, also where it was not there. */
  remove(path: string): Promise<void>;
  /** Throws a BackupError that says what is wrong and what to do, for `doctor`; writes nothing that stays. */
  check(): Promise<void>;
}
