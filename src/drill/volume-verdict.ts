import type { ReadArchive } from '../archive/archive-reader.js';
import type { DrillResult } from '../domain/verification.js';
import type { Comparison } from './volume-comparison.js';

export interface VerdictInput {
  archive: ReadArchive;
  comparison: Comparison;
  /** What tar could not bring back. */
  warnings: readonly string[];
  /** Whoever restores may give no file to another user. */
  ownsNothing: boolean;
}

/** How tar says that the file system keeps no such attribute. */
const UNSUPPORTED = /: (Operation not supported|Not supported)$/;

export function verdictOf({ archive, comparison, warnings, ownsNothing }: VerdictInput): DrillResult {
  const notes = [...warnings];
  const { differences, differing } = comparison;
  const unverified = (reason: string): DrillResult => ({ outcome: 'unverified', reason, notes });
  const unkept = warnings.find((warning) => UNSUPPORTED.test(warning));
  const areXattrs = differences.every(({ facts }) => facts.every((fact) => fact.startsWith('xattr ')));
  if (differing > 0 && unkept !== undefined && areXattrs)
    return unverified(`extended attributes could not be restored here: ${unkept}`);
  if (archive.unknown.length > 0)
    return unverified(`the archive holds what this version does not read: ${archive.unknown.join(', ')}`);
  if (differing > 0) return { outcome: 'failed', reason: told(comparison), notes };
  if (ownsNothing)
    return unverified('this user is not root, and could restore no owner: all else is as it was backed up');
  return { outcome: 'verified', notes };
}

function told({ differences, differing, paths }: Comparison): string {
  const more = differing - differences.length;
  const texts = differences.map(({ text }) => text);
  const all = more > 0 ? [...texts, `and ${String(more)} more`] : texts;
  return `${String(differing)} of ${String(paths)} paths differ: ${all.join('; ')}`;
}
