import { describe, expect, it } from 'vitest';
import {
  failureOf,
  lastVerified,
  VERIFICATION_FORMAT,
  withDrillElsewhere,
  withResult,
  type Verification,
  type VerificationOutcome,
  type VerificationResult,
} from '../../src/domain/verification.js';

const on = (day: number, outcome: VerificationOutcome): VerificationResult => ({
  outcome,
  verifiedAt: `2026-11-0${String(day)}T03:00:00.000Z`,
  durationMs: 1,
});
const of = (results: Verification['results']): Verification => ({
  format: VERIFICATION_FORMAT,
  artifact: 'mordor.sql.gz',
  sha256: 'a'.repeat(64),
  results,
});

describe('a verification', () => {
  it('has failed where either method has', () => {
    expect(failureOf(undefined)).toBeUndefined();
    expect(failureOf(of({ read: on(1, 'verified'), drill: on(1, 'unverified') }))).toBeUndefined();
    expect(failureOf(of({ read: on(1, 'failed'), drill: on(1, 'verified') }))).toEqual(on(1, 'failed'));
    expect(failureOf(of({ read: on(2, 'verified'), drill: on(1, 'failed') }))).toEqual(on(1, 'failed'));
  });

  it('was passed last by the later of both methods', () => {
    expect(lastVerified(undefined)).toBeUndefined();
    expect(lastVerified(of({ read: on(1, 'failed'), drill: on(2, 'unverified') }))).toBeUndefined();
    expect(lastVerified(of({ read: on(1, 'verified'), drill: on(2, 'verified') }))).toEqual(on(2, 'verified'));
    expect(lastVerified(of({ read: on(3, 'verified'), drill: on(2, 'verified') }))).toEqual(on(3, 'verified'));
  });

  it('keeps the last result of each method', () => {
    const before = { read: on(1, 'verified'), drill: on(1, 'failed') };
    expect(withResult(before, 'drill', on(2, 'verified'))).toEqual({ ...before, drill: on(2, 'verified') });
    expect(withResult(before, 'read', on(2, 'failed'))).toEqual({ ...before, read: on(2, 'failed') });
  });

  it('takes back no failure where there was nothing to check with', () => {
    const before = { drill: on(1, 'failed') };
    expect(withResult(before, 'drill', on(2, 'unverified'))).toEqual(before);
    expect(withResult({ drill: on(1, 'verified') }, 'drill', on(2, 'unverified'))).toEqual({
      drill: on(2, 'unverified'),
    });
  });

  it('fails with the drill of another copy, and is no more than not failed by one that passes', () => {
    const before = { read: on(1, 'verified') };
    const failed = { ...before, drill: on(2, 'failed') };
    expect(withDrillElsewhere(before, on(2, 'failed'))).toEqual(failed);
    expect(withDrillElsewhere(before, on(2, 'verified'))).toBe(before);
    expect(withDrillElsewhere(failed, on(3, 'verified'))).toEqual(before);
    expect(withDrillElsewhere(failed, on(1, 'verified'))).toBe(failed);
    expect(withDrillElsewhere(failed, on(3, 'unverified'))).toBe(failed);
    expect(withDrillElsewhere(before, undefined)).toBe(before);
  });
});
