/** A run of more targets works in parts: in its own history each target would take seven events, and a server ends a history at some 50,000. */
export const LARGEST_RUN_WITHOUT_PARTS = 1_000;
export const PART_SIZE = 10;

export interface PartsInput<T> {
  targets: readonly T[];
  /** How many parts are at work at once. */
  lanes: number;
  partSize: number;
}

/**
 * The parts that lanes take one after the other, by the plan alone: a run that was reset finds the same ones again. The targets of a part
 * follow each other, so neighbours of the file, which may be alike and long, are in different ones; and parts get smaller towards the end,
 * where nobody else could take what waits behind a long one.
 */
export function partsOf<T>({ targets, lanes, partSize }: PartsInput<T>): T[][] {
  const rowCount = Math.ceil(targets.length / partSize);
  const rest: T[] = [];
  for (let row = 0; row < rowCount; row++) {
    for (let i = row; i < targets.length; i += rowCount) rest.push(...targets.slice(i, i + 1));
  }
  const parts: T[][] = [];
  while (rest.length > 0) {
    const size = Math.ceil(rest.length / (2 * lanes));
    parts.push(rest.splice(0, Math.min(size, partSize)));
  }
  return parts;
}
