export const PIN_FORMAT = 'backup-pin/1';

/**
 * What lies beside a pinned artifact, in each destination on its own. That the file is there is what holds the artifact; its text is
 * for people.
 */
export interface Pin {
  note?: string;
  /** RFC 3339, UTC. */
  pinnedAt?: string;
  /** A user's name. */
  pinnedBy?: string;
}

/** One line for a terminal, whoever wrote it. */
export const NOTE_PATTERN = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,200}$/u;

const SUFFIX = '.pin';

export function pinName(artifact: string): string {
  return artifact + SUFFIX;
}
