import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.js';
import { ACCEPTED_AFTER, checkSize, type SizeCheckInput } from '../../src/domain/size-check.js';
import { aManifest } from '../support/manifest.js';

const MB = 1_000_000;

/** An artifact of the n-th night. */
function night(n: number, sizeBytes: number, changes: Partial<Manifest['artifact']> = {}): Manifest {
  const run = `202611${String(n).padStart(2, '0')}_030000`;
  const manifest = aManifest({ run });
  return { ...manifest, artifact: { ...manifest.artifact, sizeBytes, ...changes } };
}

/** Captures of these sizes, one night after the other, each checked against those before it. */
function nights(sizes: readonly number[], limits: Omit<SizeCheckInput, 'stored' | 'before'>): Manifest[] {
  return sizes.reduce<Manifest[]>((before, sizeBytes, i) => {
    const stored = night(i + 1, sizeBytes);
    const suspicious = checkSize({ stored, before, ...limits });
    return [{ ...stored, ...(suspicious && { suspicious }) }, ...before];
  }, []);
}

const suspicions = (made: readonly Manifest[]) => [...made].reverse().map(({ suspicious }) => suspicious?.inARow ?? 0);

describe('checkSize', () => {
  it('expects nothing where nothing was said', () => {
    expect(suspicions(nights([MB, 1, MB, 1], {}))).toEqual([0, 0, 0, 0]);
    expect(suspicions(nights([MB, 1], { minSizeBytes: 0, maxShrinkPercent: 100 }))).toEqual([0, 0]);
  });

  it('finds what is smaller than min_size, as often as it comes', () => {
    expect(suspicions(nights([9, 10, 9, 9, 9, 9, 9, 11], { minSizeBytes: 10 }))).toEqual([1, 0, 1, 2, 3, 4, 5, 0]);
    expect(checkSize({ stored: night(1, 9), before: [], minSizeBytes: MB })?.reason).toBe(
      'it has 9 B, less than min_size',
    );
  });

  it('finds what shrank by more than max_shrink_percent, and says from what', () => {
    const limits = { maxShrinkPercent: 50 };
    expect(suspicions(nights([100, 50, 24], limits))).toEqual([0, 0, 1]);
    const stored = night(3, 24);
    const before = [night(2, 48), night(1, 100)];
    expect(checkSize({ stored, before, ...limits })).toBeUndefined();
    expect(checkSize({ stored: night(3, 23), before, ...limits })?.reason).toBe(
      'it has 23 B, 52.1% less than the 48 B of run 20261102_030000',
    );
  });

  it('goes on comparing with the last one that is not suspicious', () => {
    expect(suspicions(nights([100, 20, 100, 20, 19], { maxShrinkPercent: 50 }))).toEqual([0, 1, 0, 1, 2]);
  });

  it('takes a size for the usual one after three in a row about as small', () => {
    const made = nights([100, 20, 21, 19, 20, 20, 9], { maxShrinkPercent: 50 });
    expect(suspicions(made)).toEqual([0, 1, 2, ACCEPTED_AFTER, 0, 0, 1]);
  });

  it('begins to count again where it shrinks on', () => {
    expect(suspicions(nights([1000, 400, 100, 20, 20, 20, 20], { maxShrinkPercent: 50 }))).toEqual([
      ...[0, 1, 1, 1, 2, 3, 0],
    ]);
  });

  it('compares with what has the same form and compression alone', () => {
    const limits = { maxShrinkPercent: 50 };
    const stored = night(2, 1);
    for (const changes of [{ compressionLevel: 9 }, { name: 'mordor_20261101_030000.sql.zst' }]) {
      expect(checkSize({ stored, before: [night(1, 100, changes)], ...limits })).toBeUndefined();
      expect(checkSize({ stored, before: [night(1, 100, changes), night(1, 90)], ...limits })?.reason).toContain(
        '90 B',
      );
    }
  });
});
