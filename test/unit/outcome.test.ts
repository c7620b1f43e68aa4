import { describe, expect, it } from 'vitest';
import { runOutcome, type TargetOutcome } from '../../src/domain/outcome.js';

function outcomeOf(databases: TargetOutcome[], globals: TargetOutcome[] = []) {
  return runOutcome([
    ...databases.map((outcome) => ({ outcome, kind: 'database' as const })),
    ...globals.map((outcome) => ({ outcome, kind: 'globals' as const })),
  ]);
}

describe('the outcome of a run', () => {
  it('is that of its targets together', () => {
    expect(outcomeOf(['succeeded', 'succeeded'])).toBe('succeeded');
    expect(outcomeOf(['succeeded', 'failed'])).toBe('partial');
    expect(outcomeOf(['succeeded', 'skipped'])).toBe('partial');
    expect(outcomeOf(['failed', 'skipped'])).toBe('failed');
    expect(outcomeOf(['failed', 'cancelled'])).toBe('cancelled');
    expect(outcomeOf([])).toBe('succeeded');
  });

  it('is no worse where another run has the globals, and partial where they failed', () => {
    expect(outcomeOf(['succeeded'], ['skipped'])).toBe('succeeded');
    expect(outcomeOf(['skipped'], ['succeeded'])).toBe('partial');
    expect(outcomeOf(['succeeded'], ['failed'])).toBe('partial');
  });

  it('is failed where all databases failed, although the globals did not', () => {
    expect(outcomeOf(['failed'], ['succeeded'])).toBe('failed');
  });

  it('is that of the globals where nothing else was asked for', () => {
    expect(outcomeOf([], ['succeeded'])).toBe('succeeded');
    expect(outcomeOf([], ['failed'])).toBe('failed');
    expect(outcomeOf([], ['skipped'])).toBe('partial');
  });
});
