import { isMap, type Node } from 'yaml';
import { z } from 'zod';
import type { Retention, RetentionRules } from '../domain/retention-rules.js';
import type { Problem } from './problem.js';
import { duration, wholeNumber } from './schema-leaves.js';
import type { YamlSource } from './yaml-source.js';

const MOST = 100_000;
/** No timer waits for it, so it may be longer than those. */
const LONGEST_AGE_DAYS = 36_500;

/** How many newest ones stay where nobody says otherwise. */
export const DEFAULT_RETENTION: Retention = { retentionCount: 5 };

const periods = (period: string, example: number) =>
  wholeNumber({
    lowest: 1,
    highest: MOST,
    description: `The last good artifact of each of the so many most recent ${period} that have one.`,
    default: '(none)',
    example,
  }).optional();

/** `retention`, of `backup_config` and of an entry. */
export const retentionSchema = z.strictObject({
  count: wholeNumber({
    lowest: 1,
    highest: MOST,
    description: 'The newest good artifacts.',
    default: '(1: the newest one always stays)',
    example: 5,
  }).optional(),
  daily: periods('days', 7),
  weekly: periods('ISO weeks, which begin on Monday,', 4),
  monthly: periods('months', 12),
  yearly: periods('years', 3),
  min_age: duration({
    description: 'Every good artifact that is younger than this.',
    expects: 'a duration such as 12h, 3d or 90d',
    longestMs: LONGEST_AGE_DAYS * 86_400_000,
    default: '(none)',
    example: '3d',
  }).optional(),
});

export type RetentionInput = z.output<typeof retentionSchema>;

/** The two ways to say it, of which a place has at most one. */
export interface WrittenRetention {
  retention?: RetentionInput | undefined;
  retention_count?: number | undefined;
}

/** What `written` asks for, all of it: nothing of `otherwise` is mixed in. */
export function chooseRetention(written: WrittenRetention, otherwise: Retention, timezone: string): Retention {
  if (written.retention_count !== undefined) return { retentionCount: written.retention_count };
  return written.retention === undefined ? otherwise : retentionOf(written.retention, timezone);
}

function retentionOf({ min_age: minAgeMs, ...counts }: RetentionInput, timezone: string): Retention {
  const { count, ...others } = counts;
  const isCountAlone = minAgeMs === undefined && Object.values(others).every((value) => value === undefined);
  if (isCountAlone) return { retentionCount: count ?? 1 };
  const written = Object.entries({ ...counts, minAgeMs }).filter(([, value]) => value !== undefined);
  const retention: RetentionRules = { ...(Object.fromEntries(written) as Omit<RetentionRules, 'timezone'>), timezone };
  // A worker of an earlier version on another host knows the count alone: it keeps all rather than what the rules hold.
  return { retentionCount: MOST, retention };
}

/** What is wrong with how a place says what is kept, whatever else is wrong there. */
export function retentionProblems(source: YamlSource, node: Node, prefix: string): Problem[] {
  const [rules, count] = ['retention', 'retention_count'].map((key) => source.pairOf(node, key)?.key);
  if (rules !== undefined && count !== undefined) {
    const line = String(source.problem(rules, '', '').line);
    const hint = 'retention_count: 5 means the same as retention: {count: 5}: keep one of the two keys';
    const message = `${prefix}retention_count: it cannot stand beside retention (line ${line})`;
    return [source.problem(count, message, hint)];
  }
  const written = source.valueOf(node, 'retention');
  if (!isMap(written) || written.items.length > 0) return [];
  const hint = 'name at least one of its rules, as in retention: {count: 5, daily: 7}';
  return [source.problem(written, `${prefix}retention: it has no rule`, hint)];
}
