/** What runs and targets are found by in the Web UI. The namespace has to have them, with these types (as Temporal names them). */
export const SEARCH_ATTRIBUTES = {
  /** Names: of a run's targets, or the one of a BackupTarget. */
  BackupTargets: 'KEYWORD_LIST',
  BackupFailedTargets: 'KEYWORD_LIST',
  /** `succeeded`, `partial`, `failed`, `cancelled`. */
  BackupOutcome: 'KEYWORD',
  /** `YYYYMMDD_HHMMSS`. */
  BackupRunId: 'KEYWORD',
} as const;

export type SearchAttributeName = keyof typeof SEARCH_ATTRIBUTES;

/** A server takes 2 KiB for one value by default; a larger one would fail the workflow's task again and again. */
const VALUE_LIMIT_BYTES = 2_000;

/** As many of `names`, from the first on, as fit into the value of one search attribute. Names are ASCII. */
export function fittingNames(names: readonly string[]): string[] {
  let bytes = 2; // the brackets of a JSON list
  const first = names.findIndex((name) => (bytes += JSON.stringify(name).length + 1) > VALUE_LIMIT_BYTES);
  return names.slice(0, first === -1 ? names.length : first);
}
