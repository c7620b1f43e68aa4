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

/** The keys of `backup_config` that say how much goes on at once. */
export type SlotSetting = 'server_slots' | 'capture_slots' | 'copy_slots';

export interface AttemptProgress {
  /** Which attempt: the next one is handed what the last one told. */
  attempt: number;
  /** Of what it is at: writing or sending, or proving. */
  bytesDone: number;
  /** When that was, by the worker's clock; milliseconds since the epoch. */
  atMs: number;
  isProving?: boolean;
  /** It has not begun: others have the slots that this key allows. */
  waitsFor?: SlotSetting;
  /** Of a copy. */
  to?: DestinationKind;
}
