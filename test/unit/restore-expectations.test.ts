import { describe, expect, it } from 'vitest';
import { databaseFacts } from '../../src/steps/database-facts.js';
import { expectedMsOf, warningsOf } from '../../src/steps/restore-expectations.js';
import type { CatalogEntry } from '../../src/domain/retention.js';
import type { VerificationResult } from '../../src/domain/verification.js';
import { aManifest } from '../support/manifest.js';

function anEntry(day: number, drill?: Partial<VerificationResult>): CatalogEntry {
  const manifest = aManifest({ run: `2026110${day}_030000`, captureStartedAt: `2026-11-0${day}T03:00:00.000Z` });
  const result = { outcome: 'verified', verifiedAt: `2026-11-0${day}T09:00:00.000Z`, durationMs: 9, ...drill } as const;
  const { name: artifact, sha256 } = manifest.artifact;
  const verification = { format: 'backup-verification/1', artifact, sha256, results: { drill: result } } as const;
  return { manifest, path: 'x', whole: true, ...(drill !== undefined && { verification }) };
}

describe('the time that a restore is expected to take', () => {
  it('is that of the last drill that restored anything of the target', () => {
    const known = [
      anEntry(3, { outcome: 'unverified' }),
      anEntry(2, { restoreMs: 2_000 }),
      anEntry(1, { restoreMs: 1_000, verifiedAt: '2026-11-05T09:00:00.000Z' }),
    ];
    expect(expectedMsOf({ known })).toBe(1_000);
    expect(expectedMsOf({ known: known.slice(0, 2) })).toBe(2_000);
    expect(expectedMsOf({ known: known.slice(0, 1) })).toBeUndefined();
  });
});

describe('warnings before a restore', () => {
  it('tell what is older, suspicious or failed, and nothing of the newest good one', () => {
    const [newest, older] = [anEntry(2), anEntry(1)];
    expect(warningsOf({ entry: newest, known: [newest, older] })).toEqual([]);
    expect(warningsOf({ entry: older, known: [newest, older], failure: 'it failed' })).toEqual([
      'this artifact is no good one: it failed',
      'this is not the newest: that of run 20261102_030000 is',
    ]);
    const suspicious = {
      ...newest,
      manifest: { ...newest.manifest, suspicious: { reason: 'it is small', inARow: 1 } },
    };
    expect(warningsOf({ entry: suspicious, known: [newest] })).toEqual(['this artifact is suspicious: it is small']);
  });
});

describe('what is told of the server that a database goes to', () => {
  const connection = { host: 'db', port: 5433 };
  const factsOf = (from: number, to: number, more: { noOwner?: boolean; madeRoles?: string[] } = {}) => {
    const server = { product: 'PostgreSQL', version: `${from}.4`, versionNumber: from * 10_000 + 4 } as const;
    const manifest = aManifest({ roles: ['frodo', 'sam'], programs: { pg_dump: '18.4' }, server });
    const there = { versionNumber: to * 10_000 + 2, roles: new Set(['sam']) };
    return databaseFacts({ manifest, server: there, connection, noOwner: false, madeRoles: undefined, ...more });
  };

  it('is where it is and both versions', () => {
    expect(factsOf(15, 16)).toEqual({
      server: 'db:5433',
      versions: { captured: 'PostgreSQL 15.4', there: 'PostgreSQL 16.2' },
      warnings: [],
    });
  });

  it('is a warning where it is older than that of the dump, by major versions', () => {
    expect(factsOf(17, 16).warnings).toEqual([expect.stringMatching(/older \(PostgreSQL 16\) .* dump \(17\)/)]);
    expect(factsOf(16, 16).warnings).toEqual([]);
  });

  it('is which roles are made, and which are gone without', () => {
    expect(factsOf(16, 16, { madeRoles: ['frodo'] }).roles).toEqual({ made: ['frodo'] });
    expect(factsOf(16, 16, { noOwner: true }).roles).toEqual({ made: [], missing: ['frodo'] });
  });
});
