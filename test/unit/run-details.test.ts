import { describe, expect, it } from 'vitest';
import type { RunPlan } from '../../src/domain/run.js';
import { plainLine } from '../../src/workflows/markdown.js';
import { RunState } from '../../src/workflows/run-state.js';
import { targetDetails } from '../../src/workflows/target-details.js';
import { aPlan, aTarget } from '../support/a-plan.js';

/** A run over `plan`, and what is shown of it. */
function follow(plan: RunPlan) {
  const shown: string[] = [];
  const state = new RunState((details) => shown.push(details));
  const before = shown.at(-1);
  state.planned(plan);
  return { state, shown, before, now: () => (shown.at(-1) ?? '').replaceAll(/[\u2002\u00a0]/g, ' ').split('\n') };
}

const named = (count: number) => Array.from({ length: count }, (_, i) => `t${String(i)}`);
const kind = 'database' as const;

describe('the details of a run', () => {
  it('are a table of its targets that follows each change, to the end', () => {
    const { state, before, now } = follow(aPlan(['mordor', 'gondor', 'rohan']));
    expect(before).toBe('Planning.');
    expect(now()).toEqual([
      '**Run 20261124_030000**: going on, 3 targets: 3 waiting',
      '',
      '| target | kind | phase | error | size | duration |',
      '| --- | --- | --- | --- | ---: | ---: |',
      '| mordor | database | waiting |  |  |  |',
      '| gondor | database | waiting |  |  |  |',
      '| rohan | database | waiting |  |  |  |',
    ]);
    state.started(aTarget('rohan'));
    expect(now()[0]).toContain('1 at work, 2 waiting');
    expect(now()[4]).toBe('| rohan | database | at work |  |  |  |');
    state.settle({ target: 'rohan', kind, outcome: 'succeeded', sizeBytes: 1536, durationMs: 65_000 });
    state.settle({ target: 'gondor', kind, outcome: 'failed', error: 'cannot dump gondor: because no\nHINT: set it' });
    state.settle({ target: 'mordor', kind, outcome: 'skipped', error: 'skipped mordor: because run x does it' });
    expect(now()[0]).toContain('pruning and reporting, 3 targets: 1 failed, 1 succeeded, 1 skipped');
    expect(now().slice(4)).toEqual([
      '| gondor | database | failed | cannot dump gondor: because no |  |  |',
      '| mordor | database | skipped | skipped mordor: because run x does it |  |  |',
      '| rohan | database | succeeded |  | 1.5 KiB | 1 min 5 s |',
    ]);
    const { results: targets } = state;
    const warnings = Array.from({ length: 12 }, (_, i) => `warning <${String(i)}>`);
    state.finished({ run: '20261124_030000', workflowId: 'w', outcome: 'partial', targets, warnings });
    expect(now()[0]).toContain('**: partial, 3 targets');
    expect(now().slice(-12, -9)).toEqual(['', '- warning \\<0\\>', '- warning \\<1\\>']);
    expect(now().at(-1)).toBe('- … and 2 more');
  });

  it('show refused entries among the failures', () => {
    const refused = [{ target: 'shire', kind: 'volume' as const, error: 'cannot read shire: because SHIRE is unset' }];
    const { now } = follow(aPlan(['mordor'], { refused }));
    expect(now()[4]).toContain('| shire | volume | failed |');
  });

  it('show failures, then what is at work, then a bounded rest of thousands', () => {
    const { state, now } = follow(aPlan(named(5_000)));
    expect(now()).toHaveLength(4 + 100 + 2);
    expect(now().at(-1)).toBe('… and 4,900 more');
    state.started(aTarget('t4000'));
    state.settle({ target: 't4999', kind, outcome: 'failed', error: 'x' });
    expect(
      now()
        .slice(4, 7)
        .map((row) => row.split(' | ')[0]),
    ).toEqual(['| t4999', '| t4000', '| t0']);
    for (const target of named(200)) state.settle({ target, kind, outcome: 'failed', error: 'x' });
    expect(
      now()
        .slice(4, -2)
        .every((row) => row.includes('| failed |')),
    ).toBe(true);
    expect(now()).toHaveLength(4 + 100 + 2);
  });

  it('are written for 5,000 targets without looking at each of them at each change', () => {
    const names = named(5_000);
    let reads = 0;
    const { state, shown } = follow(aPlan(names));
    const counted = (result: { target: string; kind: 'database'; outcome: 'succeeded' | 'failed' }) =>
      Object.defineProperty(result, 'durationMs', { enumerable: true, get: () => ((reads += 1), 1) });
    names.forEach((target, i) => {
      state.started(aTarget(target));
      state.settle(counted({ target, kind, outcome: i % 50 === 49 ? 'failed' : 'succeeded' }));
    });
    expect(shown).toHaveLength(1 + 1 + 2 * 5_000);
    expect(reads).toBeLessThanOrEqual(2 * 5_000); // once written, a row is looked at no more
    expect(Math.max(...shown.map((details) => details.length))).toBeLessThan(20_000);
  });

  it('hold no Markdown or HTML of others', () => {
    const { now, state } = follow(aPlan(['mordor']));
    const error =
      'cannot dump `x` | <img src=x onerror=alert(1)> [a](javascript:b) **b** _c_ & \\ \u0007\nsecond | line';
    state.settle({ target: 'mordor', kind, outcome: 'failed', error });
    const row = now()[4] ?? '';
    expect(now()).toHaveLength(5);
    expect(now()[0]).toContain(', 1 target: 1 failed');
    expect(row).not.toContain('second');
    expect(row).not.toMatch(/(?<!\\)[<>&`*_[\]]|\p{Cc}/u);
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(7);
    expect(row).toContain('\\`x\\` \\| \\<img');
    expect(row).toContain('\\& \\\\ ');
    expect(plainLine('x'.repeat(10_000)).length).toBeLessThan(300);
  });
});

describe('the details of a target', () => {
  it('name its phase, artifact and errors', () => {
    const common = { name: 'mordor', kind, run: '20261124_030000' };
    expect(targetDetails({ ...common, phase: 'capturing' })).toBe(
      '**mordor** (database) in run 20261124_030000: capturing',
    );
    const captured = { artifact: 'mordor.sql.gz', sizeBytes: 2048 };
    expect(targetDetails({ ...common, phase: 'failed', captured, errors: ['cannot copy\nHINT'] }).split('\n')).toEqual([
      '**mordor** (database) in run 20261124_030000: failed',
      '',
      '- mordor.sql.gz, 2.0 KiB',
      '- cannot copy',
    ]);
  });
});
