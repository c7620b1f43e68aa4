import { describe, expect, it } from 'vitest';
import { liveLines, type LiveLinesInput } from '../../src/commands/live-lines.js';
import { cut, firstLine, printable } from '../../src/commands/printable.js';
import { changedLines } from '../../src/commands/run-lines.js';
import type { RunView, TargetView } from '../../src/commands/run-view.js';
import type { PendingStep } from '../../src/domain/pending-step.js';

const NOW_MS = Date.parse('2026-11-24T03:00:10Z');
const MIB = 1024 * 1024;

function aStep(changes: Partial<PendingStep> = {}): PendingStep {
  const startedAt = new Date(NOW_MS - 3_900);
  return {
    activity: 'captureTarget',
    id: '1',
    state: 'running',
    taskQueue: 'backup-default',
    attempt: 1,
    startedAt,
    ...changes,
  };
}

function atWork(target: string, changes: Partial<PendingStep> = {}): TargetView {
  return { target, kind: 'database', phase: 'capturing', step: aStep(changes) };
}

function retrying(target: string, failure = 'cannot reach x: because\nHINT: y'): TargetView {
  const nextAttemptAt = new Date(NOW_MS + 11_500);
  return atWork(target, { state: 'retrying', attempt: 3, nextAttemptAt, failure });
}

const waiting = (target: string): TargetView => ({ target, kind: 'volume', phase: 'waiting' });
const done: TargetView = { target: 'gone', kind: 'database', phase: 'done' };

function aView(targets: TargetView[], changes: Partial<RunView> = {}): RunView {
  return { run: '20261124_030000', targets, steps: [], answered: true, ...changes };
}

function draw(view: RunView, changes: Partial<LiveLinesInput> = {}): string[] {
  return liveLines({ view, columns: 79, rows: 22, nowMs: NOW_MS, rateOf: () => undefined, ...changes });
}

describe('lines that live', () => {
  it('tell of each target at work its phase, bytes, rate and time, and name those that wait', () => {
    const now = { attempt: 1, bytesDone: 128 * MIB, atMs: NOW_MS };
    const targets = [
      done,
      atWork('mordor', { progress: now }),
      atWork('gondor', { activity: 'copyArtifact', progress: { ...now, to: 's3' } }),
      atWork('rohan', { progress: { ...now, isProving: true } }),
      atWork('shire'),
      { ...atWork('moria'), step: aStep({ state: 'cancelling' }) },
      { target: 'bree', kind: 'database', phase: 'copying' } as const,
      waiting('a'),
      waiting('b'),
    ];
    expect(draw(aView(targets), { rateOf: ({ target }) => (target === 'mordor' ? 41 * MIB : undefined) })).toEqual([
      'mordor  capturing       128.0 MiB    41.0 MiB/s  3 s',
      'gondor  copying to s3   128.0 MiB                3 s',
      'rohan   proving         128.0 MiB                3 s',
      'shire   capturing                                3 s',
      'moria   cancelling                               3 s',
      'bree    copying',
      '2 waiting: a, b',
    ]);
  });

  it('say why a target stands still', () => {
    const targets = [
      retrying('mordor'),
      atWork('gondor', { state: 'unpolled', taskQueue: 'backup-gondor' }),
      atWork('rohan', { state: 'queued' }),
      atWork('shire', { progress: { attempt: 1, bytesDone: 0, atMs: NOW_MS, waitsFor: 'capture_slots' } }),
    ];
    expect(draw(aView(targets, { answered: false }))).toEqual([
      'mordor  waiting 12 s for attempt 3 of capture: cannot reach x: because',
      'gondor  no worker polls backup-gondor',
      'rohan   waiting for a free worker on backup-default',
      'shire   waiting for a slot (capture_slots)',
      'waiting for a worker on backup',
    ]);
  });

  it('tell what the run itself is at, before its targets and after them', () => {
    const steps = [aStep({ activity: 'pruneDestination' }), aStep({ activity: 'isQueuePolled' })];
    expect(draw(aView([done], { steps }))).toEqual(['pruning 3 s']);
  });

  it('fit the width, whatever an error holds', () => {
    const failure = `\x1b[31mcannot\r\x07 \u202ereach \u{1f4a5}${'日本語'.repeat(40)}`;
    for (const columns of [1, 10, 20, 79, 200]) {
      const lines = draw(
        aView([retrying('mordor', failure), ...Array.from({ length: 60 }, (_, n) => waiting(`t${n}`))]),
        { columns },
      );
      for (const line of lines) {
        expect(line).toMatch(/^[^\p{Cc}\u202e]*$/u);
        const wide = [...line].filter((character) => /[日本語\u{1f4a5}]/u.test(character)).length;
        expect([...line].length + wide).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('fit the height: those in trouble first, and how many more there are', () => {
    const targets = [...Array.from({ length: 49 }, (_, n) => atWork(`t${n}`)), retrying('mordor'), waiting('a')];
    const lines = draw(aView(targets), { rows: 5 });
    expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual([
      'mordor',
      't0',
      't1',
      '… and 47 more',
      '1 waiting: a',
    ]);
    expect(draw(aView(targets), { rows: 1 })).toHaveLength(1);
  });
});

describe('lines of a log', () => {
  it('tell once of an attempt that failed, of a worker that is missing, and again of the next one', () => {
    const shown = new Map<string, string>();
    const lines = (...targets: TargetView[]) => changedLines(shown, aView(targets), NOW_MS);
    const { step } = retrying('mordor');
    expect(lines(retrying('mordor'))).toEqual([
      'run 20261124_030000: 1 target',
      'mordor: capturing',
      'mordor: capture attempt 2 failed, next in 12 s: cannot reach x: because',
    ]);
    expect(lines(retrying('mordor'))).toEqual([]);
    expect(lines(atWork('mordor', { attempt: 4, failure: 'other' }))).toEqual([
      'mordor: capture attempt 3 failed, trying again: other',
    ]);
    expect(lines(atWork('mordor', { ...step, attempt: 1, id: '2', state: 'unpolled' }))).toEqual([
      'mordor: no worker polls backup-default',
    ]);
  });

  it('tell of a target that has ended once its run knows what became of it', () => {
    const shown = new Map<string, string>();
    const result = { target: 'gone', kind: 'database', outcome: 'succeeded' } as const;
    const lines = [done, { ...done, result }].map((row) => changedLines(shown, aView([row]), NOW_MS));
    expect(lines).toEqual([['run 20261124_030000: 1 target'], ['gone: succeeded']]);
  });

  it('tell each time that no worker answers', () => {
    const shown = new Map<string, string>();
    const answers = [true, false, false, true, false].map((answered) =>
      changedLines(shown, aView([], { answered }), 0),
    );
    const line = 'waiting for a worker on backup';
    expect(answers).toEqual([['run 20261124_030000: 0 targets'], [line], [], [], [line]]);
  });
});

describe('a text from elsewhere', () => {
  it('is printed without what moves the cursor, hides or turns round, line by line', () => {
    expect(printable('a\x1b[2Jb\tc\r\n\u202ed\x00e')).toBe('ab c\nde');
    expect(firstLine('a\r\nb')).toBe('a');
  });

  it('is cut at a width', () => {
    expect([cut('abcdef', 6), cut('abcdef', 5), cut('日本語', 5), cut('a', 0)]).toEqual([
      'abcdef',
      'abcd…',
      '日本…',
      '',
    ]);
  });
});
