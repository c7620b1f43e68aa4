import type { ChosenArtifact } from './find-artifact.js';

/** How long a restore of the target took when it was last tried, of whichever artifact. */
export function expectedMsOf({ known }: Pick<ChosenArtifact, 'known'>): number | undefined {
  const drills = known.map(({ verification }) => verification?.results.drill).filter((drill) => drill !== undefined);
  const measured = drills.filter(({ restoreMs }) => restoreMs !== undefined);
  return measured.sort((one, other) => (one.verifiedAt < other.verifiedAt ? 1 : -1))[0]?.restoreMs;
}

/** What a person should know of the artifact before he goes on. */
export function warningsOf({ entry, known, failure }: Pick<ChosenArtifact, 'entry' | 'known' | 'failure'>): string[] {
  const { manifest } = entry;
  const newest = known[0]?.manifest;
  const isOlder = newest !== undefined && Date.parse(newest.captureStartedAt) > Date.parse(manifest.captureStartedAt);
  return [
    ...(failure === undefined ? [] : [`this artifact is no good one: ${failure}`]),
    ...(manifest.suspicious === undefined ? [] : [`this artifact is suspicious: ${manifest.suspicious.reason}`]),
    ...(isOlder ? [`this is not the newest: that of run ${newest.run} is`] : []),
  ];
}
