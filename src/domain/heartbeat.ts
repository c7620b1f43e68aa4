import type { DestinationKind } from './target.js';

/** What a heartbeat of a capture, copy or prune carries: the next attempt is handed it, and whoever follows the run reads it. */
export interface HeartbeatDetails {
  /** The most that any attempt got done. */
  bytesDone: number;
  /** When that was; milliseconds since the epoch. */
  movedAtMs: number;
  /** How far this attempt is; absent before there was one. */
  now?: AttemptProgress;
}

export interface AttemptProgress {
  /** Which attempt: the next one is handed what the last one told. */
  attempt: number;
  /** Of what it is at: writing or sending, or proving. */
  bytesDone: number;
  /** When that was, by the worker's clock; milliseconds since the epoch. */
  atMs: number;
  isProving?: boolean;
  /** Of a copy. */
  to?: DestinationKind;
}
