import type { Manifest, Suspicion } from './manifest.js';
import { formatBytes } from './quantities.js';

/** After so many in a row about as small, that is the size they have. */
export const ACCEPTED_AFTER = 3;

type Stored = Pick<Manifest, 'artifact' | 'run'>;

export interface SizeCheckInput {
  stored: Stored;
  /** The good artifacts of its line, newest first. */
  before: readonly Manifest[];
  minSizeBytes?: number;
  maxShrinkPercent?: number;
}

/**
 * Why an artifact is suspicious, if it is. It is compared with the last one that is not, made in the same form; or with the
 * last one of all, where that was one of `ACCEPTED_AFTER` in a row that came out about as small.
 */
export function checkSize({
  stored,
  before,
  minSizeBytes = 0,
  maxShrinkPercent = 100,
}: SizeCheckInput): Suspicion | undefined {
  const { sizeBytes } = stored.artifact;
  const like = before.filter((earlier) => formOf(earlier) === formOf(stored));
  const [last] = like;
  const isShrunk = (than: Stored) => sizeBytes * 100 < than.artifact.sizeBytes * (100 - maxShrinkPercent);
  const reasons = sizeBytes < minSizeBytes ? [`it has ${formatBytes(sizeBytes)}, less than min_size`] : [];
  const expected = expectedFrom(like);
  if (expected !== undefined && isShrunk(expected)) reasons.push(shrinkText(sizeBytes, expected));
  if (reasons.length === 0) return undefined;
  const soFar = last?.suspicious !== undefined && !isShrunk(last) ? last.suspicious.inARow : 0;
  return { reason: reasons.join(', and '), inARow: soFar + 1 };
}

function expectedFrom(like: readonly Manifest[]): Manifest | undefined {
  const isUsualNow = (like[0]?.suspicious?.inARow ?? 0) >= ACCEPTED_AFTER;
  return isUsualNow ? like[0] : like.find(({ suspicious }) => suspicious === undefined);
}

function shrinkText(sizeBytes: number, { artifact, run }: Manifest): string {
  const percent = ((1 - sizeBytes / artifact.sizeBytes) * 100).toFixed(1);
  return `it has ${formatBytes(sizeBytes)}, ${percent}% less than the ${formatBytes(artifact.sizeBytes)} of run ${run}`;
}

/** Sizes of other forms tell nothing: format and compression, as the name ends, and the level. */
function formOf({ artifact: { name, compressionLevel }, run }: Stored): string {
  return `${name.slice(name.lastIndexOf(run) + run.length)} ${compressionLevel}`;
}
