const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d{1,9})(ms|s|m|h|d)$/;
/** Node's timers end at 2^31 ms; a little below that, in whole days. */
export const LONGEST_TIMER_MS = 24 * UNIT_MS.d;

/** Milliseconds of `500ms`, `30s`, `15m`, `12h`, `1d`; undefined where `text` is none of these, is 0 or longer than `longestMs`. */
export function parseDuration(text: string, longestMs = LONGEST_TIMER_MS): number | undefined {
  const [, amount, unit] = PATTERN.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const durationMs = Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return durationMs >= 1 && durationMs <= longestMs ? durationMs : undefined;
}
