import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_SURPLUS,
  lineKey,
  planPrune,
  withDrillsElsewhere,
  type CatalogEntry,
  type PruneInput,
} from '../../src/domain/retention.js';
import { runId } from '../../src/domain/names.js';
import { sourceKey, type Source } from '../../src/domain/target.js';
import { VERIFICATION_FORMAT, type Verification } from '../../src/domain/verification.js';
import { anEntry } from '../support/manifest.js';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-11-24T06:30:00Z');
const LINE = { ...anEntry().manifest, retentionCount: 5, broughtCount: 1 };

const elsewhere: Source = { kind: 'database', systemIdentifier: '1', database: 'mordor' };

/** The artifact of the night `daysAgo` nights before NOW. */
function night(daysAgo: number, changes: Parameters<typeof anEntry>[0] = {}, whole = true): CatalogEntry {
  const start = new Date(NOW.getTime() - daysAgo * DAY_MS - 60_000);
  return anEntry({ run: runId(start, 'UTC'), captureStartedAt: start.toISOString(), ...changes }, whole);
}

function plan(changes: Partial<PruneInput>) {
  return planPrune({
    service: 'middle-earth',
    run: night(0).manifest.run,
    now: NOW,
    lines: [LINE],
    entries: [],
    ...changes,
  });
}

const removedRuns = (changes: Partial<PruneInput>) => plan(changes).remove.map((d) => d.entry.manifest.run);

describe('planPrune', () => {
  it('keeps the newest five and removes the sixth', () => {
    const entries = [5, 3, 0, 1, 4, 2].map((n) => night(n));
    expect(removedRuns({ entries })).toEqual([night(5).manifest.run]);
  });

  it('orders by the moment of capture, not by the name of the run', () => {
    const renamed = night(9, { run: '20991231_235959' });
    const entries = [...[0, 1, 2, 3, 4].map((n) => night(n)), renamed];
    expect(removedRuns({ entries })).toEqual(['20991231_235959']);
  });

  it('does not count an artifact that is missing or cut off, and leaves it alone', () => {
    const entries = [night(0), night(1, {}, false), ...[2, 3, 4, 5].map((n) => night(n))];
    expect(removedRuns({ entries })).toEqual([]);
    expect(plan({ entries }).keep).toHaveLength(6);
  });

  it('does not count an artifact that failed verification, and leaves it alone', () => {
    const { sha256, name: artifact } = night(1).manifest.artifact;
    const verification: Verification = {
      format: VERIFICATION_FORMAT,
      artifact,
      sha256,
      results: { read: { outcome: 'failed', verifiedAt: NOW.toISOString(), durationMs: 1 } },
    };
    const entries = [night(0), { ...night(1), verification }, ...[2, 3, 4, 5].map((n) => night(n))];
    expect(removedRuns({ entries })).toEqual([]);
    const { keep } = plan({ entries });
    expect(keep.find((d) => d.entry.verification !== undefined)?.reason).toMatch(/^it failed verification/);
  });

  it('keeps globals as long as a database of their run and server', () => {
    const server = { kind: 'globals', systemIdentifier: '7400000000000000001' } as const;
    const globals = (n: number, source: Source = server) =>
      night(n, { target: 'globals:db-5432', kind: 'globals', source });
    const roles = [0, 1, 2, 3, 4].map((n) => globals(n));
    const line = { ...globals(0).manifest, retentionCount: 1, broughtCount: 1 };
    const removed = (databases: CatalogEntry[], lines = [line]) =>
      removedRuns({ lines, entries: [...roles, ...databases] });
    const runs = (...nights: number[]) => nights.map((n) => night(n).manifest.run);
    expect(removed([])).toEqual(runs(1, 2, 3, 4));
    expect(removed([night(3), night(9)])).toEqual(runs(1, 2, 4));
    expect(removed([night(3, {}, false), night(2, { source: elsewhere })])).toEqual(runs(1, 2, 3, 4));
    const databases = { ...LINE, retentionCount: 2 };
    expect(
      removed(
        [0, 2, 4].map((n) => night(n)),
        [line, databases],
      ),
    ).toEqual(expect.arrayContaining(runs(1, 3, 4)));
    const plenty = [5, 6, 7, 8].map((n) => globals(n));
    expect(
      removedRuns({ lines: [line], entries: [...roles, ...plenty, ...plenty.map((_e, n) => night(n + 5))] }),
    ).toEqual(runs(1, 2, 3, 4));
  });

  it('counts none whose bytes failed a drill in another destination', () => {
    const nights = [0, 1, 2, 3, 4, 5].map((n) => night(n));
    const { sha256, name: artifact } = night(0).manifest.artifact;
    const drill = { outcome: 'failed', verifiedAt: NOW.toISOString(), durationMs: 1 } as const;
    const verification: Verification = { format: VERIFICATION_FORMAT, artifact, sha256, results: { drill } };
    const failed = { ...night(0), verification };
    expect(removedRuns({ entries: withDrillsElsewhere(nights, []) })).toEqual([night(5).manifest.run]);
    expect(removedRuns({ entries: withDrillsElsewhere(nights, [failed]) })).toEqual([]);
    const other = anEntry({ ...failed.manifest, artifact: { ...failed.manifest.artifact, sha256: 'b'.repeat(64) } });
    const ofOtherBytes = { ...failed, manifest: other.manifest };
    expect(withDrillsElsewhere(nights, [ofOtherBytes])).toEqual(nights);
  });

  it('leaves strangers, other targets and other sources alone', () => {
    const others = [20, 21, 22, 23, 24, 25, 26].flatMap((n) => [
      night(n, { service: 'shire' }),
      night(n, { target: 'gondor' }),
      night(n, { source: { kind: 'database', systemIdentifier: '1', database: 'mordor' } }),
    ]);
    expect(removedRuns({ entries: [...[0, 1, 2, 3, 4, 5].map((n) => night(n)), ...others] })).toEqual([
      night(5).manifest.run,
    ]);
  });

  it('removes nothing where this run committed nothing', () => {
    const entries = [1, 2, 3, 4, 5, 6, 7].map((n) => night(n));
    expect(plan({ entries, lines: [] }).remove).toEqual([]);
    expect(plan({ entries }).warnings).toHaveLength(1); // its line is there, its artifact is not the newest
    expect(plan({ entries }).remove).toEqual([]);
  });

  it('skips aloud when a clock was set back', () => {
    const entries = [night(-3), ...[0, 1, 2, 3, 4, 5].map((n) => night(n))];
    expect(plan({ entries }).remove).toEqual([]);
    expect(plan({ entries }).warnings[0]).toMatch(/cannot prune mordor: because .*clock/);
  });

  it('skips aloud when more would go than a run explains, which a person may do', () => {
    const entries = Array.from({ length: 5 + 1 + MAX_SURPLUS + 1 }, (_, n) => night(n));
    expect(plan({ entries }).remove).toEqual([]);
    expect(plan({ entries }).warnings[0]).toContain('backupctl prune');
    expect(plan({ entries: entries.slice(0, -1) }).remove).toHaveLength(1 + MAX_SURPLUS);
    const { run: _, ...byHand } = { service: 'middle-earth', run: '', now: NOW, lines: [LINE], entries };
    expect(planPrune(byHand).remove).toHaveLength(entries.length - 5);
  });

  const runs = 1_000; // test/unit/retention-oracle.test.ts looks at many more
  it(`never removes what the rules protect (${runs} random states)`, () => {
    fc.assert(
      fc.property(
        fc.array(anyEntry(), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(6),
        (entries, count, brought) => {
          const line = { ...LINE, retentionCount: count, broughtCount: brought };
          const { keep, remove } = plan({ entries, lines: [line] });
          // Every entry is decided once.
          expect([...keep, ...remove].map((d) => d.entry)).toHaveLength(entries.length);
          expect(new Set([...keep, ...remove].map((d) => d.entry)).size).toBe(entries.length);
          for (const { entry } of remove) {
            expect(entry.manifest.service).toBe('middle-earth');
            expect(lineKey(entry.manifest)).toBe(lineKey(line));
            expect(entry.whole).toBe(true);
            expect(entry.manifest.run).not.toBe(night(0).manifest.run);
          }
          if (remove.length === 0) return;
          const kept = keep.map((d) => d.entry).filter((e) => e.whole && lineKey(e.manifest) === lineKey(line));
          const keptOurs = kept.filter((e) => e.manifest.service === 'middle-earth');
          const others = keptOurs.filter((e) => e.manifest.run !== night(0).manifest.run);
          expect(keptOurs.length).toBeGreaterThanOrEqual(count);
          expect(others.length).toBeLessThan(count); // this run's own is the newest
          const oldestKept = Math.min(...keptOurs.map((e) => Date.parse(e.manifest.captureStartedAt)));
          for (const { entry } of remove)
            expect(Date.parse(entry.manifest.captureStartedAt)).toBeLessThanOrEqual(oldestKept);
          expect(remove.length).toBeLessThanOrEqual(brought + MAX_SURPLUS);
        },
      ),
      { numRuns: runs },
    );
  });
});

/** Mostly the line that is pruned, so that states in which something goes are common. */
function anyEntry(): fc.Arbitrary<CatalogEntry> {
  const changes = fc.oneof(
    { weight: 12, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constant({ service: 'shire' }) },
    { weight: 1, arbitrary: fc.constant({ target: 'gondor' }) },
  );
  const whole = fc.integer({ min: 0, max: 9 }).map((n) => n > 0);
  return fc.tuple(fc.nat(30), changes, whole).map(([daysAgo, change, isWhole]) => night(daysAgo, change, isWhole));
}

it('a volume that is mounted now and was named before is another line', () => {
  const keys = [
    { kind: 'volume', host: 'default', volume: '/v' } as const,
    { kind: 'volume', host: 'default', path: '/v' } as const,
    { kind: 'volume', host: 'other', path: '/v' } as const,
  ].map(sourceKey);
  expect(new Set(keys).size).toBe(3);
});
