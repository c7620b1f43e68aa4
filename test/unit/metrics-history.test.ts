import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/domain/run.js';
import type { TargetResult } from '../../src/domain/outcome.js';
import { VERIFICATION_FORMAT, type Verification } from '../../src/domain/verification.js';
import { Attempts } from '../../src/metrics/attempts.js';
import { expose } from '../../src/metrics/exposition.js';
import { addRecord, type RunHistory } from '../../src/metrics/run-history.js';
import {
  attemptSamples,
  runSamples,
  scheduleSamples,
  targetSamples,
  type ShownTarget,
} from '../../src/metrics/samples.js';
import { aRunRecord } from '../support/run-record.js';

const mordor = { target: 'mordor', kind: 'database' } as const;
const shown: ShownTarget = { ...mordor, host: 'default' };
const DAY_S = 86_400;
const FIRST_S = Date.parse('2026-11-01T03:00:00Z') / 1000;

function recordOf(day: number, result: Omit<TargetResult, 'target' | 'kind'>): RunRecord {
  const run = `202611${String(day).padStart(2, '0')}_030000`;
  const outcome = result.outcome === 'skipped' ? 'partial' : result.outcome;
  return { ...aRunRecord({ run, outcome }), targets: [{ ...mordor, ...result }] };
}

function historyOf(records: readonly RunRecord[]): RunHistory {
  const history: RunHistory = { lastRun: undefined, targets: new Map() };
  for (const record of records) addRecord(history, record);
  return history;
}

async function shownOf(records: readonly RunRecord[], targets = [shown]): Promise<string[]> {
  const { body } = await expose(targetSamples(targets, historyOf(records)));
  return body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const whole = { outcome: 'succeeded', artifact: 'a', sizeBytes: 100, durationMs: 2_500 } as const;

describe('the metrics of a target', () => {
  const labels = 'target="mordor",kind="database",host="default"';

  it('tell its last success, proof, size, duration and outcome', async () => {
    expect(await shownOf([recordOf(1, whole)])).toEqual([
      `backup_last_success_timestamp_seconds{${labels}} ${FIRST_S}`,
      `backup_last_verified_timestamp_seconds{${labels}} ${FIRST_S}`,
      `backup_last_size_bytes{${labels}} 100`,
      `backup_last_duration_seconds{${labels}} 2.5`,
      `backup_last_outcome{${labels},outcome="succeeded"} 1`,
      `backup_last_outcome{${labels},outcome="failed"} 0`,
      `backup_last_outcome{${labels},outcome="skipped"} 0`,
      `backup_last_outcome{${labels},outcome="cancelled"} 0`,
    ]);
  });

  it('count a failed copy as no success, and its capture as verified', async () => {
    const lines = await shownOf([recordOf(1, whole), recordOf(2, { ...whole, outcome: 'failed', sizeBytes: 120 })]);
    expect(lines).toContain(`backup_last_success_timestamp_seconds{${labels}} ${FIRST_S}`);
    expect(lines).toContain(`backup_last_verified_timestamp_seconds{${labels}} ${FIRST_S + DAY_S}`);
    expect(lines).toContain(`backup_last_size_bytes{${labels}} 120`);
    expect(lines).toContain(`backup_last_outcome{${labels},outcome="failed"} 1`);
  });

  it('count as verified no artifact that failed after its run, and tell of later verifications', async () => {
    const failed = { method: 'drill', outcome: 'failed' } as const;
    const records = [recordOf(1, whole), recordOf(2, { ...whole, outcome: 'failed', verification: failed })];
    expect(await shownOf(records)).toContain(`backup_last_verified_timestamp_seconds{${labels}} ${FIRST_S}`);
    const verifiedAt = new Date((FIRST_S + DAY_S) * 1000).toISOString();
    const read = { outcome: 'verified', verifiedAt, durationMs: 1 } as const;
    const drill = { ...read, restoreMs: 1_500 };
    const shownWith = async (results: Verification['results']) => {
      const verification: Verification = { format: VERIFICATION_FORMAT, artifact: 'a', sha256: 'b', results };
      const verifications = new Map([['database/mordor', verification]]);
      return (await expose(targetSamples([shown], historyOf([recordOf(1, whole)]), verifications))).body;
    };
    const verified = await shownWith({ read, drill });
    expect(verified).toContain(`backup_last_verified_timestamp_seconds{${labels}} ${FIRST_S + DAY_S}`);
    expect(verified).toContain(`backup_last_verification_outcome{${labels},outcome="verified"} 1`);
    expect(verified).toContain(`backup_restore_duration_seconds{${labels}} 1.5`);
    const rotten = await shownWith({ read: { ...read, outcome: 'failed' }, drill });
    expect(rotten).toContain(`backup_last_verification_outcome{${labels},outcome="failed"} 1`);
    expect(rotten).toContain(`backup_last_verification_outcome{${labels},outcome="verified"} 0`);
  });

  it('keep what a failed or skipped run says nothing about', async () => {
    const lines = await shownOf([
      recordOf(1, whole),
      recordOf(2, { outcome: 'failed' }),
      recordOf(3, { outcome: 'skipped' }),
    ]);
    expect(lines).toContain(`backup_last_success_timestamp_seconds{${labels}} ${FIRST_S}`);
    expect(lines).toContain(`backup_last_size_bytes{${labels}} 100`);
    expect(lines).toContain(`backup_last_outcome{${labels},outcome="skipped"} 1`);
  });

  it('are there, with 0, of one that never succeeded, and gone of one that is no longer configured', async () => {
    const lines = await shownOf([recordOf(1, whole)], [{ ...shown, target: 'gondor' }]);
    expect(lines).toContain(`backup_last_success_timestamp_seconds{${labels.replace('mordor', 'gondor')}} 0`);
    expect(lines.join()).not.toContain('mordor');
    expect(lines.join()).not.toContain('backup_last_size_bytes');
  });

  it('tell a volume from a database that had its name before', async () => {
    const lines = await shownOf([recordOf(1, whole)], [{ ...shown, kind: 'volume' }]);
    expect(lines[0]).toContain('kind="volume",host="default"} 0');
  });
});

describe('the history of runs', () => {
  it('is the same in whatever order records are read', () => {
    const outcome = fc.constantFrom('succeeded', 'failed', 'skipped', 'cancelled');
    const result = fc.record(
      { outcome, sizeBytes: fc.nat(), artifact: fc.constant('a') },
      { requiredKeys: ['outcome'] },
    );
    const records = fc
      .uniqueArray(fc.nat({ max: 29 }), { minLength: 1 })
      .chain((days) => fc.tuple(...days.map((day) => result.map((r) => recordOf(day + 1, r as never)))));
    const both = records.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(both, ([list, shuffled]) => {
        expect(historyOf(shuffled)).toEqual(historyOf(list));
      }),
    );
  });

  it('leaves out a run that goes on', () => {
    const running = aRunRecord({ run: '20261101_030000', outcome: 'running', artifacts: ['mordor'] });
    expect(historyOf([running])).toEqual({ lastRun: undefined, targets: new Map() });
  });

  it('has one outcome of the last run, and counters that begin at 0', async () => {
    const ended = { succeeded: 2, partial: 0, failed: 0, cancelled: 0 };
    const { body } = await expose(runSamples('middle-earth', historyOf([recordOf(1, whole)]), ended));
    expect(body).toContain('backup_last_run_outcome{service="middle-earth",outcome="succeeded"} 1');
    expect(body).toContain('backup_last_run_outcome{service="middle-earth",outcome="failed"} 0');
    expect(body).toContain('backup_runs_total{service="middle-earth",outcome="succeeded"} 2');
    expect(body).toContain('backup_runs_total{service="middle-earth",outcome="failed"} 0');
    expect(body).toContain('# TYPE backup_runs_total counter');
  });
});

describe('other metrics', () => {
  it('of attempts begin at 0', async () => {
    const { body } = await expose(attemptSamples([shown], new Attempts()));
    expect(body).toContain('backup_failed_attempts_total{target="mordor",step="copy"} 0');
    expect(body).toContain('backup_stalled_attempts_total{target="mordor"} 0');
    expect(body).toContain('backup_running_targets 0');
  });

  it('of a paused schedule name no next start', async () => {
    const facts = { starts: 'backup' as const, cron: '0 3 * * *', missedCount: 1, skippedCount: 2 };
    const paused = await expose(scheduleSamples([{ ...facts, paused: true, next: undefined }]));
    expect(paused.body).toContain('backup_schedule_paused{schedule="0 3 * * *",starts="backup"} 1');
    expect(paused.body).not.toContain('backup_schedule_next_timestamp_seconds');
    const planned = await expose(scheduleSamples([{ ...facts, paused: false, next: new Date(FIRST_S * 1000) }]));
    expect(planned.body).toContain(
      `backup_schedule_next_timestamp_seconds{schedule="0 3 * * *",starts="backup"} ${FIRST_S}`,
    );
    expect(planned.body).toContain('backup_schedule_missed_total{schedule="0 3 * * *",starts="backup"} 1');
    expect(planned.body).toContain('backup_schedule_skipped_total{schedule="0 3 * * *",starts="backup"} 2');
  });
});
