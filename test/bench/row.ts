/** What a bench case found out: one line of the table. */
export interface Row {
  /** `database, gzip level 6, local`. */
  what: string;
  /** Of this service, one for each round. */
  samples: Samples;
  unit: Unit;
  /** What it is held against, measured in turn with it. */
  reference?: Reference;
  /** How the median, or its ratio to that of the reference, is to be. */
  goal?: Goal;
  /** Facts that belong to it: sizes, rates, settings. */
  note?: string;
}

export type Unit = 's' | 'ms' | 'MB/s' | 'MiB' | '% of a core' | 'parts';

export interface Reference {
  /** `pg_dump | gzip -6`. */
  name: string;
  samples: Samples;
}

/** `missing`: what it needs is not installed here. */
export type Samples = readonly number[] | 'missing';

export interface Goal {
  of: 'ratio' | 'median';
  is: 'at most' | 'at least';
  value: number;
}

/** Throws where there are none, or one is no number. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined || samples.some(Number.isNaN)) throw new Error('nothing was measured');
  return (low + high) / 2;
}

/** Of the medians; undefined without a reference that is there. */
export function ratioOf({ samples, reference }: Row): number | undefined {
  if (samples === 'missing' || reference === undefined || reference.samples === 'missing') return undefined;
  return median(samples) / median(reference.samples);
}

/** Undefined where no goal is set, or its reference is missing. */
export function isReached(row: Row): boolean | undefined {
  if (row.goal === undefined || row.samples === 'missing') return undefined;
  const value = row.goal.of === 'ratio' ? ratioOf(row) : median(row.samples);
  if (value === undefined) return undefined;
  return row.goal.is === 'at most' ? value <= row.goal.value : value >= row.goal.value;
}
